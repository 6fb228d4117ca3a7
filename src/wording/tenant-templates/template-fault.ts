/** A fault in a tenant's template, with its place in the source that the tenant wrote, if known. */
export class TemplateFault extends Error {
  constructor(
    readonly fault: string,
    readonly place: Place | null = null,
  ) {
    super(place === null ? fault : `line ${place.line}, column ${place.column}: ${fault}`);
    this.name = 'TemplateFault';
  }
}

/** Both begin at 1. */
export interface Place {
  line: number;
  column: number;
}

/** The place of a character in a text. */
export function placeAt(text: string, index: number): Place {
  const before = text.slice(0, index);
  return { line: before.split('\n').length, column: index - before.lastIndexOf('\n') };
}
