import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/**
 * Opens a file for reading. It follows no link and waits for no writer of a pipe.
 * @throws what the file system says: ELOOP (on FreeBSD EMLINK) for a symbolic link
 */
export function openNoFollow(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}
