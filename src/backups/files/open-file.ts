import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/**
 * Opens a file for reading. Follows no link and does not wait for the writer of a pipe.
 * @throws file system errors: ELOOP (on FreeBSD EMLINK) for a symbolic link
 */
export function openNoFollow(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}
