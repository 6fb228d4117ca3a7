/** A template that cannot be used. The message begins with the file, so that it can be found and mended. */
export class TemplateError extends Error {
  constructor(file: string, fault: string) {
    super(`${file}: ${fault}`);
    this.name = 'TemplateError';
  }
}

/** The first line of what a parser threw: the rest repeats the source. */
export function faultOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
