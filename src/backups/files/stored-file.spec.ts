import { mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { type BackupFolders, backupFolders } from '../agent.fixture.js';
import {
  IncomingCopy,
  readStored,
  removeLeftovers,
  syncFailure,
  syncFolders,
  TargetTaken,
} from './stored-file.js';

/** B6: only whole files get a name in the store. */
const PATH = 'tenant/company/city/agent/db/2026/03/db_20260330T201000Z.bak';
const ID = '01a1fec9-17c6-73de-b3f4-43c48a3a0bde';

let folders: BackupFolders;
let root: string;

beforeEach(async () => {
  folders = await backupFolders();
  root = folders.env.BACKUP_STORE_DIR;
});
afterEach(() => folders.remove());

const begin = () => IncomingCopy.begin(root, PATH, ID);
const names = () => readdirSync(join(root, PATH, '..'));
const content = () => readFileSync(join(root, PATH), 'utf8');

describe('a copy into the store', () => {
  it('of the same entry by two scanners: each publishes what it wrote itself', async () => {
    const stale = await begin();
    await stale.handle.write('the ledger');
    const half = await begin();
    await half.handle.write('the led');
    await stale.publish();
    expect(content()).toBe('the ledger');
    await half.handle.write('ger');
    await expect(half.publish()).rejects.toThrow(TargetTaken);
    expect(content()).toBe('the ledger');
    expect(names()).toEqual(['db_20260330T201000Z.bak']);
  });

  it.each(['datasync', 'close'] as const)('leaves nothing behind when its %s fails', async (call) => {
    const copy = await begin();
    await copy.handle.write('the ledger');
    const close = copy.handle.close.bind(copy.handle);
    const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: call });
    jest.spyOn(copy.handle, call).mockImplementationOnce(async () => {
      if (call === 'close') await close();
      throw full;
    });
    await expect(copy.publish()).rejects.toBe(full);
    expect(names()).toEqual([]);
    expect(isClosed(copy.handle)).toBe(true);
  });

  it('removes a killed scan’s copy of the same entry, and no other copy', async () => {
    const left = await begin();
    await left.handle.close();
    const other = await IncomingCopy.begin(root, PATH, ID.replace('0', '1'));
    await other.handle.close();
    writeFileSync(join(root, PATH, '..', `.${ID}.part`), 'of somebody else');
    await removeLeftovers(root, [
      { id: ID, path: PATH },
      { id: ID, path: `nowhere/${PATH}` },
    ]);
    expect(names()).toHaveLength(2);
  });

  it.each([
    ['a folder', (path: string) => mkdirSync(path)],
    ['a link', (path: string) => symlinkSync('/dev/zero', path)],
  ])('fails if its path is taken by %s, and does not wait for a writer', async (_what, make) => {
    mkdirSync(join(root, PATH, '..'), { recursive: true });
    make(join(root, PATH));
    await expect(readStored(root, PATH, AbortSignal.timeout(5_000))).rejects.toHaveProperty('syscall');
  });
});

/** A closed handle has no descriptor. */
function isClosed(handle: FileHandle): boolean {
  return handle.fd === -1;
}

it('F16: a folder that cannot be fsynced fails the files whose names it holds, and no others', async () => {
  const published = await (await begin()).publish();
  const other = await (await IncomingCopy.begin(root, 'tenant/company/other.bak', ID)).publish();
  renameSync(published.folder, `${published.folder}-away`);
  const failures = await syncFolders([published, other]);
  expect([...failures]).toEqual([[published.folder, expect.objectContaining({ code: 'ENOENT' })]]);
  expect(syncFailure(published, failures)).toMatchObject({ code: 'ENOENT' });
  expect(syncFailure(other, failures)).toBeUndefined();
});
