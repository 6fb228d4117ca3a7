/** An unusable template. The message starts with the file, and the line if known. */
export class TemplateError extends Error {
  constructor(
    file: string,
    /** Without the file. */
    readonly fault: string,
    line?: number,
  ) {
    super(`${file}${line === undefined ? '' : `:${line}`}: ${fault}`);
    this.name = 'TemplateError';
  }
}

/** The message of a parser or the file system, without the name of the error. */
export function faultOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error
    ? String(error.message)
    : String(error);
}
