import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The file by which the demo knows the folders whose contents it may delete. */
export const DEMO_MARKER = 'vigie-demo.json';

/**
 * Refuses a demo's folder to a real server: the next demo would delete its database.
 * @throws Error naming the folder.
 */
export function assertNotDemoFolder(dataDir: string): void {
  if (!existsSync(join(dataDir, DEMO_MARKER))) return;
  throw new Error(
    `${dataDir} belongs to the demo, which deletes its contents at each start: set VIGIE_DATA_DIR to another folder`,
  );
}
