/** The code of what the file system refused (ENOENT, ENOSPC …), if that is what was thrown. */
export function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** What can be told of a failure of the file system: its code and what was tried, and no path of the server. */
export function toldOf(error: unknown): string {
  const code = codeOf(error);
  if (code === null) return error instanceof Error ? error.message : String(error);
  const call = error instanceof Error && 'syscall' in error ? String(error.syscall) : 'file';
  return `${code} (${call})`;
}

/** The storage has no room left: the disk, or the quota. */
export function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(codeOf(error) ?? '');
}

/** What the file system refused, and no fault of ours. */
export function isOfFiles(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error;
}
