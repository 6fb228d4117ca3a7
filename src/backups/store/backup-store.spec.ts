import { existsSync, readdirSync } from 'node:fs';
import { mkdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { markStore, type TestAgent } from '../agent.fixture.js';
import { REPORTED, ScannedWorld } from '../scan/scan.fixture.js';
import { STORE_MARKER } from './backup-store.js';

describe('the backup store', () => {
  let scans: ScannedWorld;
  let agent: TestAgent;
  let store: string;

  beforeAll(async () => {
    scans = await ScannedWorld.create();
    store = scans.folders.env.BACKUP_STORE_DIR;
  });
  afterAll(() => scans.close());
  beforeEach(async () => {
    agent = await scans.beginAnew();
    await rm(store, { recursive: true, force: true });
    await mkdir(store);
  });
  afterEach(() => jest.restoreAllMocks());

  const isMarked = () => existsSync(join(store, STORE_MARKER));
  const verdicts = async () => (await scans.entries()).map(({ verdict, reason }) => [verdict, reason]);

  async function backUp(database: string, reported = REPORTED): Promise<void> {
    const said = await agent.stage(`${database}.bak`, `the data of ${database}`);
    await agent.drop(`${database}_STATUS.json`, agent.report(reported, { [database]: said }));
  }

  it('H21: the first scan marks it while its folder is empty', async () => {
    await mkdir(join(store, 'lost+found'));
    await backUp('compta');
    expect(await scans.run()).toMatchObject({ success: 1 });
    expect(isMarked()).toBe(true);
    expect(scans.stored()).toHaveLength(1);
  });

  it.each<[string, () => Promise<void>]>([
    ['does not exist', () => rmdir(store)],
    ['holds other files', () => writeFile(join(store, 'photo.jpg'), '')],
  ])('H21: is not a folder that %s: the backup stays staged', async (_what, arrange) => {
    await arrange();
    await backUp('compta');
    expect(await scans.run()).toMatchObject({ failed: 1 });
    expect(await verdicts()).toEqual([['FAILED', 'store_failed']]);
    expect(isMarked()).toBe(false);
    expect(agent.files('database')).toEqual(['compta.bak']);
  });

  it('H21: nothing is written to an empty mount point, whichever tenant stored the first backup', async () => {
    await backUp('compta');
    await scans.run();
    await rename(store, `${store}-unmounted`);
    await mkdir(store);
    const error = jest.spyOn(Logger.prototype, 'error');
    const lines = () =>
      error.mock.calls.filter(([line]) => (line as { event?: string }).event === 'backup_store_unavailable');
    await backUp('paie');
    await scans.run();
    await scans.run();
    expect(await verdicts()).toEqual([
      ['SUCCESS', null],
      ['FAILED', 'store_failed'],
    ]);
    expect(readdirSync(store)).toEqual([]);
    expect(agent.files('database')).toEqual(['paie.bak']);
    // One log line, however many scans and files.
    expect(lines()).toHaveLength(1);
    const [entry] = (await scans.entries()).filter(({ database_name }) => database_name === 'paie');
    expect(entry?.detail).toMatch(/no file \.vigie-store: its disk is probably not mounted/);

    await rmdir(store);
    await rename(`${store}-unmounted`, store);
    expect(await scans.run()).toMatchObject({ success: 1 });
    expect(scans.stored()).toHaveLength(2);
  });

  it('H21: can be moved with its marker, or marked manually', async () => {
    await backUp('compta');
    await scans.run();
    await rm(store, { recursive: true });
    await mkdir(store);
    await markStore(store);
    await backUp('paie');
    expect(await scans.run()).toMatchObject({ success: 1 });
  });
});
