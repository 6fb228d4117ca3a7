import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Where agents leave their files, and where verified ones are kept. */
export interface BackupFolders {
  inbox: string;
  store: string;
}

/** Folders of the demo alone, empty: not the ones that a server of this data directory would use. */
export async function emptyFolders(dataDir: string): Promise<BackupFolders> {
  const root = join(dataDir, 'demo-backups');
  await rm(root, { recursive: true, force: true });
  const folders = { inbox: join(root, 'inbox'), store: join(root, 'store') };
  for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true });
  return folders;
}
