import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import files from 'node:fs/promises';
import { join } from 'node:path';
import { type BackupFolders, backupFolders, TestAgent } from '../agent.fixture.js';
import { reportFiles } from './inbox.js';
import { moveTo, removeSeen } from './move-file.js';
import { identityOf, type SeenFile } from './staged-file.js';

const ID = '01a1fec9-17c6-73de-b3f4-43c48a3a0bde';
const { signal } = new AbortController();

let folders: BackupFolders;
let agent: TestAgent;
let secret: string;

beforeEach(async () => {
  folders = await backupFolders();
  agent = await new TestAgent(folders, 'tenant', 'agent').make();
  secret = join(folders.root, 'secret');
  writeFileSync(secret, 'a secret of the server');
});
afterEach(async () => {
  jest.restoreAllMocks();
  await folders.remove();
});

const path = (name = 'compta.bak') => agent.path('database', name);

function seen(at = path(), name = 'compta.bak'): SeenFile {
  return { path: at, name, stats: lstatSync(at) };
}

function quarantine(file: SeenFile): Promise<void> {
  const to = { folder: 'quarantine', mark: ID, signal } as const;
  return moveTo(folders.env.BACKUP_INBOX_DIR, ['tenant', 'agent'], file, to);
}

/** Replaces the file, as an agent's `mv` does. */
function replaceBy(content: string): void {
  writeFileSync(`${path()}.part`, content);
  renameSync(`${path()}.part`, path());
}

/** Makes the first rename fail because the folder is on another disk; `meanwhile` runs just before. */
function onAnotherDisk(meanwhile: () => void = () => undefined): void {
  const failure = Object.assign(new Error('EXDEV'), { code: 'EXDEV', syscall: 'rename' });
  jest.spyOn(files, 'rename').mockImplementationOnce(() => {
    meanwhile();
    return Promise.reject(failure);
  });
}

/** Runs `act` when the copy in the other folder is opened. */
function whenCopying(act: () => void): void {
  const { open } = files;
  let done = false;
  jest.spyOn(files, 'open').mockImplementation((opened, ...given) => {
    if (String(opened).endsWith('.part') && !done) {
      done = true;
      act();
    }
    return open(opened, ...given);
  });
}

describe('moving a file to a folder on another disk', () => {
  it('H22: copies it, and removes the first', async () => {
    await agent.put('database', 'compta.bak', 'the lodger');
    const file = seen();
    onAnotherDisk();
    await quarantine(file);
    expect(agent.read('quarantine', 'compta.bak')).toBe('the lodger');
    expect(agent.files('quarantine')).toEqual(['compta.bak']);
    expect(agent.files('database')).toEqual([]);
  });

  it('H22: does not follow a link that took the place of the file', async () => {
    await agent.put('database', 'compta.bak', 'the lodger');
    const file = seen();
    onAnotherDisk(() => {
      renameSync(path(), path('aside'));
      symlinkSync(secret, path());
    });
    await expect(quarantine(file)).rejects.toHaveProperty('syscall');
    expect(agent.files('quarantine')).toEqual([]);
    expect(readFileSync(secret, 'utf8')).toBe('a secret of the server');
  });

  it('H22: moves a link as a link', async () => {
    symlinkSync(secret, path());
    const file = seen();
    onAnotherDisk();
    await quarantine(file);
    expect(readlinkSync(agent.path('quarantine', 'compta.bak'))).toBe(secret);
    expect(agent.files('database')).toEqual([]);
  });

  it('H22: leaves a file that cannot be copied in place, and does not wait for its writer', async () => {
    execFileSync('mkfifo', [path()]);
    const file = seen();
    onAnotherDisk();
    await expect(quarantine(file)).rejects.toHaveProperty('syscall');
    expect(agent.files('database')).toEqual(['compta.bak']);
  });

  it('H22: does not delete a new backup that took the name during the copy', async () => {
    await agent.put('database', 'compta.bak', 'the lodger');
    const file = seen();
    onAnotherDisk();
    whenCopying(() => replaceBy('the next one'));
    await quarantine(file);
    expect(agent.read('database', 'compta.bak')).toBe('the next one');
    expect(agent.read('quarantine', 'compta.bak')).toBe('the lodger');
  });

  it('H22: does not keep a copy of a file that grows during the copy', async () => {
    await agent.put('database', 'compta.bak', 'the lodger');
    const file = seen();
    onAnotherDisk();
    whenCopying(() => writeFileSync(path(), 'the lodgers', { flag: 'r+' }));
    await expect(quarantine(file)).rejects.toHaveProperty('syscall');
    expect(agent.files('quarantine')).toEqual([]);
    expect(agent.files('database')).toEqual(['compta.bak']);
  });
});

describe('the reason beside a rejected file', () => {
  it('H22: replaces a planted link, and does not write through it', async () => {
    await agent.put('log', 'STATUS.json', '{');
    mkdirSync(agent.path('rejected'));
    symlinkSync(secret, agent.path('rejected', 'STATUS.json.reason'));
    const file = seen(agent.path('log', 'STATUS.json'), 'STATUS.json');
    const to = { folder: 'rejected', mark: 'abc', reason: 'not JSON', signal } as const;
    await moveTo(folders.env.BACKUP_INBOX_DIR, ['tenant', 'agent'], file, to);
    expect(readFileSync(secret, 'utf8')).toBe('a secret of the server');
    expect(agent.read('rejected', 'STATUS.json.reason')).toBe('not JSON\n');
    expect(agent.read('rejected', 'STATUS.json')).toBe('{');
  });
});

describe('restoring a file’s name when a newer file has it', () => {
  const visible = () =>
    agent
      .files('database')
      .map((name) => agent.read('database', name))
      .sort();
  const hidden = () => agent.files('database').filter((name) => name.startsWith('.'));

  it('H22: keeps both files visible, and finishes in one try', async () => {
    await agent.put('database', 'compta.bak', 'the ledger');
    const identity = identityOf(lstatSync(path()));
    await agent.put('database', `.${ID}.gone`, 'the next one');
    replaceBy('the one after that');
    for (let attempt = 1; attempt <= 2; attempt += 1) await removeSeen(path(), identity, ID);
    expect(hidden()).toEqual([]);
    expect(visible()).toEqual(['the next one', 'the one after that']);
    expect(agent.read('database', 'compta.bak')).toBe('the one after that');
  });

  it('H22: finishes a restore that was interrupted between its two steps', async () => {
    await agent.put('database', `.${ID}.gone`, 'the next one');
    await files.link(path(`.${ID}.gone`), path());
    await removeSeen(path(), 'another file', ID);
    expect(agent.files('database')).toEqual(['compta.bak']);
  });

  it('H22: does not quarantine a good backup', async () => {
    await agent.put('database', 'compta.bak', 'the lodger');
    const file = seen();
    const { rename } = files;
    jest.spyOn(files, 'rename').mockImplementationOnce(async (from, to) => {
      replaceBy('the next one');
      await rename(from, to);
      replaceBy('the one after that');
    });
    await quarantine(file);
    expect(agent.files('quarantine')).toEqual([]);
    expect(visible()).toEqual(['the next one', 'the one after that']);
  });

  it('H22: the next scan reads a report that a killed scan set aside', async () => {
    await agent.put('log', `.${ID}.gone`, '{}');
    const read = () => reportFiles(folders.env.BACKUP_INBOX_DIR, ['tenant', 'agent'], () => undefined);
    await read();
    const { files: found } = await read();
    expect(found.map(({ name }) => readFileSync(agent.path('log', name), 'utf8'))).toEqual(['{}']);
    expect(existsSync(agent.path('log', `.${ID}.gone`))).toBe(false);
  });
});
