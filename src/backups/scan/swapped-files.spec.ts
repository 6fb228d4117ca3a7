import {
  appendFileSync,
  closeSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import files from 'node:fs/promises';
import { join } from 'node:path';
import { good, rest, sha256, type TestAgent } from '../agent.fixture.js';
import { removeSeen } from '../files/move-file.js';
import { StoreWriter } from './store-writer.js';
import { REPORTED, ScannedWorld } from './scan.fixture.js';
import { Scan } from './scan.js';
import { identityOf } from '../files/staged-file.js';

// B4, B6: the promoted file and the deleted file are the file that was hashed.

/** Five chunks: others follow after the first is read. */
const LEDGER = Buffer.alloc(5 * 1_048_576, 'the ledger ');
const OTHER = Buffer.alloc(LEDGER.length, 'the lodger ');

let scans: ScannedWorld;
let agent: TestAgent;

beforeAll(async () => {
  scans = await ScannedWorld.create();
});
afterAll(() => scans.close());
beforeEach(async () => {
  agent = await scans.beginAnew();
});
afterEach(() => jest.restoreAllMocks());

const run = () => scans.run();
const verdicts = () =>
  scans.world.sql(
    `SELECT verdict, reason, settled_at IS NOT NULL AS settled FROM backup_entries WHERE agent_id = $1`,
    [agent.id],
  );
const mine = () => scans.stored();
const promoted = () =>
  mine().map((path) => sha256(readFileSync(join(scans.folders.env.BACKUP_STORE_DIR, path))));
const path = () => agent.path('database', 'compta.bak');

async function drop(reported: Record<string, unknown>): Promise<void> {
  await agent.drop('STATUS.json', agent.report(REPORTED, { compta: reported }));
}

/** Runs `act` when the scan has read the first chunk of the file. */
function inBetween(act: () => void): void {
  const count = Reflect.get<Scan, 'count'>(Scan.prototype, 'count');
  let done = false;
  jest.spyOn(Scan.prototype, 'count').mockImplementation(function (this: Scan, name: string, by: number) {
    if (name === 'bytes' && !done) {
      done = true;
      act();
    }
    count.call(this, name, by);
  });
}

/** Overwrites bytes of the file at this position. */
function overwrite(at: number): void {
  const file = openSync(path(), 'r+');
  writeSync(file, 'X', at);
  closeSync(file);
}

/** Restores the file's times, as an attacker does. */
function unnoticed(act: () => void): void {
  const { atime, mtime } = statSync(path());
  act();
  utimesSync(path(), atime, mtime);
}

describe('a staged file that changes while it is read', () => {
  it.each<[string, () => void]>([
    ['grows', () => appendFileSync(path(), 'and more')],
    ['is cut off', () => truncateSync(path(), 3 * 1_048_576)],
    ['is cut off before what was read', () => truncateSync(path(), 10)],
    ['is written over where it was read', () => overwrite(0)],
    ['is written over where it is still to be read', () => overwrite(LEDGER.length - 1)],
  ])('is not judged, and not promoted: it %s', async (_what, change) => {
    await drop(await agent.stage('compta.bak', LEDGER));
    inBetween(change);
    expect(await run()).toMatchObject({ still_written: 1 });
    expect(await verdicts()).toEqual([{ verdict: null, reason: null, settled: false }]);
    expect(mine()).toEqual([]);
    // It no longer changes: the next scan reads it.
    jest.restoreAllMocks();
    await rest(path());
    expect(await run()).toMatchObject({ hash_mismatch: 1, quarantined: 1 });
    expect(mine()).toEqual([]);
  });

  it('D9: another file that takes its name meanwhile stays for its own report', async () => {
    await drop(await agent.stage('compta.bak', LEDGER));
    inBetween(() => {
      writeFileSync(`${path()}.part`, OTHER);
      renameSync(`${path()}.part`, path());
    });
    expect(await run()).toMatchObject({ success: 1, archived: 1 });
    expect(promoted()).toEqual([sha256(LEDGER)]);
    expect(sha256(readFileSync(path()))).toBe(sha256(OTHER));
    jest.restoreAllMocks();
    await rest(path());
    await agent.drop(
      'STATUS.json',
      agent.report('2026-03-30T21:00:00Z', { compta: good('compta.bak', OTHER) }),
    );
    expect(await run()).toMatchObject({ success: 1 });
    expect(promoted()).toEqual([sha256(LEDGER), sha256(OTHER)]);
    expect(agent.files('database')).toEqual([]);
  });

  it('is promoted from the bytes that were read if it disappears', async () => {
    await drop(await agent.stage('compta.bak', LEDGER));
    inBetween(() => unlinkSync(path()));
    expect(await run()).toMatchObject({ success: 1 });
    expect(promoted()).toEqual([sha256(LEDGER)]);
  });

  it('is promoted as it was read, or not at all, if its times are restored', async () => {
    await drop(await agent.stage('compta.bak', LEDGER));
    inBetween(() => unnoticed(() => overwrite(0)));
    expect(await run()).toMatchObject({ success: 1 });
    expect(promoted()).toEqual([sha256(LEDGER)]);
    jest.restoreAllMocks();

    agent = await scans.beginAnew();
    await drop(await agent.stage('compta.bak', LEDGER));
    inBetween(() => unnoticed(() => overwrite(LEDGER.length - 1)));
    expect(await run()).toMatchObject({ hash_mismatch: 1 });
    expect(mine()).toEqual([]);
  });

  it('is not promoted if it changes between its two readings', async () => {
    await drop({ ...(await agent.stage('compta.bak', LEDGER)), size_bytes: 1 });
    const promote = Reflect.get<StoreWriter, 'promote'>(StoreWriter.prototype, 'promote');
    jest.spyOn(StoreWriter.prototype, 'promote').mockImplementation(function (this: StoreWriter, ...given) {
      unnoticed(() => overwrite(0));
      return promote.apply(this, given);
    });
    expect(await run()).toMatchObject({ failed: 1 });
    expect(await verdicts()).toEqual([{ verdict: 'FAILED', reason: 'store_failed', settled: false }]);
    expect(mine()).toEqual([]);
    expect(agent.files('database')).toEqual(['compta.bak']);
  });
});

describe('another file that takes the name just before the first is removed', () => {
  const look = async () => identityOf(await files.lstat(path()));

  /** Replaces the file just before the scan renames it. */
  function comeBefore(content: string): void {
    const { rename } = files;
    jest.spyOn(files, 'rename').mockImplementationOnce(async (from, to) => {
      writeFileSync(`${String(from)}.part`, content);
      renameSync(`${String(from)}.part`, from);
      await rename(from, to);
    });
  }

  it('B6 is not deleted', async () => {
    await drop(await agent.stage('compta.bak', 'the ledger'));
    comeBefore('the next one');
    expect(await run()).toMatchObject({ success: 1 });
    expect(agent.read('database', 'compta.bak')).toBe('the next one');
    expect(agent.files('database')).toEqual(['compta.bak']);
  });

  it('B6 is not quarantined', async () => {
    await drop(good('compta.bak', 'the ledger'));
    await agent.put('database', 'compta.bak', 'the lodger');
    comeBefore('the next one');
    expect(await run()).toMatchObject({ hash_mismatch: 1 });
    expect(agent.read('database', 'compta.bak')).toBe('the next one');
    expect(agent.files('quarantine')).toEqual([]);
  });

  it('B3, D9: is read by the next scan, if it is a report', async () => {
    const first = agent.report(REPORTED, { compta: { status: 'failed' } });
    const second = agent.report('2026-03-30T21:00:00Z', { compta: { status: 'failed' } });
    await agent.drop('STATUS.json', first);
    comeBefore(JSON.stringify(second));
    expect(await run()).toMatchObject({ reports: 1 });
    expect(await run()).toMatchObject({ reports: 1, archived: 1 });
    expect(agent.read('archive', 'STATUS.json')).toBe(JSON.stringify(second));
    expect(await verdicts()).toHaveLength(2);
  });

  it('gets its name back if a scan was killed in between; the verified file is removed', async () => {
    await agent.put('database', 'compta.bak', 'the ledger');
    const identity = await look();
    const aside = agent.path('database', '.entry.gone');
    renameSync(path(), aside);
    await removeSeen(path(), identity, 'entry');
    expect(agent.files('database')).toEqual([]);
    await agent.put('database', '.entry.gone', 'the next one');
    await removeSeen(path(), identity, 'entry');
    expect(agent.read('database', 'compta.bak')).toBe('the next one');
    expect(agent.files('database')).toEqual(['compta.bak']);
  });
});
