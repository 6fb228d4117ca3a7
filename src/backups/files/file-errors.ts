/** The error of a failed call of the file system. */
export interface FileError extends Error {
  syscall: string;
  code?: string;
}

/** Whether the file system refused something. Decides by the fields: Node's errors are of another realm in tests. */
export function isFileSystemError(error: unknown): error is FileError {
  return (
    typeof error === 'object' && error !== null && 'syscall' in error && typeof error.syscall === 'string'
  );
}

/** The code of an error of the file system (ENOENT, ENOSPC …); null for any other error. */
export function codeOf(error: unknown): string | null {
  return isFileSystemError(error) ? (error.code ?? null) : null;
}

/** An error of the file system for people outside: its code and the call, and no path of the server. */
export function describeFileError(error: FileError): string {
  return error.code === undefined ? error.message : `${error.code} (${error.syscall})`;
}

/** Whether the disk or the quota is full. */
export function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(codeOf(error) ?? '');
}
