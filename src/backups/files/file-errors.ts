/** What a call of the file system failed with. */
export interface FileError extends Error {
  syscall: string;
  code?: string;
}

/** What the file system refused, and no fault of ours. By its looks: Node's own errors are of another realm in tests. */
export function isFileSystemError(error: unknown): error is FileError {
  return (
    typeof error === 'object' && error !== null && 'syscall' in error && typeof error.syscall === 'string'
  );
}

/** The code of what the file system refused (ENOENT, ENOSPC …), if that is what was thrown. */
export function codeOf(error: unknown): string | null {
  return isFileSystemError(error) ? (error.code ?? null) : null;
}

/** What can be told of a failure of the file system: its code and what was tried, and no path of the server. */
export function describeFileError(error: FileError): string {
  return error.code === undefined ? error.message : `${error.code} (${error.syscall})`;
}

/** The storage has no room left: the disk, or the quota. */
export function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(codeOf(error) ?? '');
}
