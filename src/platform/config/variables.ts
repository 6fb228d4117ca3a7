/** How one variable is written, checked and told about. `parse` throws a plain sentence on a bad value. */
export interface Variable<Value> {
  /** The environment's name. `<env>_FILE` names a file that holds the value. */
  env: string;
  /** Its place in vigie.yml. */
  yaml: string;
  /** Names that the systems before Vigie used. */
  aliases: readonly string[];
  /** As written in the documentation; null when unset means something of its own. */
  default: string | null;
  doc: string;
  secret: boolean;
  parse(text: string): Value;
}

interface Written {
  env: string;
  yaml: string;
  doc: string;
  aliases?: readonly string[];
  secret?: boolean;
}

function variable<Value>(written: Written, fallback: string | null, parse: (text: string) => Value) {
  return { aliases: [], secret: false, ...written, default: fallback, parse };
}

function integer(text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^-?\d+$/.test(text.trim()) || value < min || value > max) {
    throw new Error(`must be a whole number from ${min} to ${max}`);
  }
  return value;
}

export function integerVariable(
  written: Written & { default: number; min: number; max: number },
): Variable<number> {
  const { default: fallback, min, max, ...rest } = written;
  return variable(rest, String(fallback), (text) => integer(text, min, max));
}

export function switchVariable(written: Written & { default: boolean }): Variable<boolean> {
  const { default: fallback, ...rest } = written;
  return variable(rest, String(fallback), (text) => {
    const word = text.trim().toLowerCase();
    if (['true', '1', 'yes', 'on'].includes(word)) return true;
    if (['false', '0', 'no', 'off'].includes(word)) return false;
    throw new Error('must be true or false');
  });
}

export function textVariable(written: Written & { default: string }): Variable<string> {
  const { default: fallback, ...rest } = written;
  return variable(rest, fallback, (text) => text);
}

/** May be left unset: null. */
export function optionalVariable(
  written: Written & { check?: (text: string) => void },
): Variable<string | null> {
  const { check, ...rest } = written;
  return variable<string | null>(rest, null, (text) => {
    check?.(text);
    return text;
  });
}

export function listVariable<Word extends string>(
  written: Written & { words: readonly Word[]; default: string },
): Variable<readonly Word[]> {
  const { words, default: fallback, ...rest } = written;
  return variable(rest, fallback, (text) => {
    const parts = text.split(',').map((part) => part.trim());
    const unknown = parts.filter((part) => !(words as readonly string[]).includes(part));
    if (unknown.length > 0 || parts.length === 0) throw new Error(`must be a list of ${words.join(', ')}`);
    return words.filter((word) => parts.includes(word));
  });
}

export function choiceVariable<Word extends string>(
  written: Written & { words: readonly Word[]; default: Word },
): Variable<Word> {
  const { words, default: fallback, ...rest } = written;
  return variable(rest, fallback, (text) => {
    const word = words.find((candidate) => candidate === text.trim().toLowerCase());
    if (word === undefined) throw new Error(`must be one of ${words.join(', ')}`);
    return word;
  });
}

/** A URL of one of these protocols. */
export function url(...protocols: string[]): (text: string) => void {
  return (text) => {
    if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol.replace(':', ''))) {
      throw new Error(`must be a URL that begins with ${protocols.map((name) => `${name}://`).join(' or ')}`);
    }
  };
}
