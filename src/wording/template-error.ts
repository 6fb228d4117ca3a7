/** A template that cannot be used. The message begins with the file, and the line where it is known. */
export class TemplateError extends Error {
  constructor(file: string, fault: string, line?: number) {
    super(`${file}${line === undefined ? '' : `:${line}`}: ${fault}`);
    this.name = 'TemplateError';
  }
}

/** What a parser or the file system says, without the name of the error. */
export function faultOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error
    ? String(error.message)
    : String(error);
}
