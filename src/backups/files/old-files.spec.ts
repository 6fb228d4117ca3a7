import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { backupFolders, type BackupFolders, TestAgent } from '../agent.fixture.js';
import { deleteOldFiles } from './old-files.js';

const TOMORROW = new Date(Date.now() + 86_400_000);
const YESTERDAY = new Date(Date.now() - 86_400_000);

describe('old files of the inbox', () => {
  let folders: BackupFolders;
  let agent: TestAgent;

  beforeEach(async () => {
    folders = await backupFolders();
    agent = await new TestAgent(folders, 'firm', 'srv-1').make();
    await mkdir(agent.path('quarantine'));
  });
  afterEach(() => folders.remove());

  const clean = (before: Date) =>
    deleteOldFiles(
      folders.env.BACKUP_INBOX_DIR,
      ['firm', 'srv-1', 'quarantine'],
      before,
      new AbortController().signal,
    );

  it('E9: are deleted by the time of their arrival, even if the agent sets another time', async () => {
    await agent.put('quarantine', 'old.gz', 'x');
    expect(await clean(YESTERDAY)).toBe(0);
    expect(agent.files('quarantine')).toEqual(['old.gz']);
    expect(await clean(TOMORROW)).toBe(1);
    expect(agent.files('quarantine')).toEqual([]);
  });

  it('E9: links are not followed, folders not entered', async () => {
    await agent.put('database', 'precious.gz', 'x');
    await mkdir(join(agent.path('quarantine'), 'folder'));
    await writeFile(join(agent.path('quarantine'), 'folder', 'inner'), 'x');
    await symlink(agent.path('database', 'precious.gz'), agent.path('quarantine', 'link'));
    await symlink(agent.path('database'), agent.path('quarantine', 'link-to-folder'));
    expect(await clean(TOMORROW)).toBe(2);
    expect(agent.files('database')).toEqual(['precious.gz']);
    expect(agent.files('quarantine')).toEqual(['folder']);
  });

  it('E9: a folder that is a link, into another tenant, is skipped', async () => {
    const other = await new TestAgent(folders, 'other', 'srv-1').make();
    await other.put('database', 'theirs.gz', 'x');
    const evil = await new TestAgent(folders, 'firm', 'srv-2').make();
    await symlink(other.path('database'), evil.path('archive'));
    const deleted = await deleteOldFiles(
      folders.env.BACKUP_INBOX_DIR,
      ['firm', 'srv-2', 'archive'],
      TOMORROW,
      new AbortController().signal,
    );
    expect(deleted).toBe(0);
    expect(other.files('database')).toEqual(['theirs.gz']);
  });
});
