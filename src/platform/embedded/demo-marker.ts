import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The file that marks folders whose contents the demo may delete. */
export const DEMO_MARKER = 'vigie-demo.json';

/**
 * Prevents a real server from using a demo's folder: the next demo would delete its database.
 * @throws Error naming the folder.
 */
export function assertNotDemoFolder(dataDir: string): void {
  if (!existsSync(join(dataDir, DEMO_MARKER))) return;
  throw new Error(
    `${dataDir} belongs to the demo, which deletes its contents at each start: set VIGIE_DATA_DIR to another folder`,
  );
}
