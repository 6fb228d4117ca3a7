import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/** The folders for agents' files and for verified backups. */
export interface BackupFolders {
  inbox: string;
  store: string;
}

/** Creates the demo's own folders; `takeDemoFolder` has removed those of an earlier demo. */
export async function makeBackupFolders(dataDir: string): Promise<BackupFolders> {
  const root = join(dataDir, 'demo-backups');
  const folders = { inbox: join(root, 'inbox'), store: join(root, 'store') };
  for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true });
  return folders;
}
