import { isIP } from 'node:net';
import { parseUrl } from '../text/url.js';

/** How one variable is written, checked and documented. `parse` throws a sentence for people on a bad value. */
export interface Variable<Value> {
  /** The name in the environment. `<env>_FILE` names a file that holds the value. */
  env: string;
  /** The path in vigie.yml. */
  yaml: string;
  /** Names used by the systems that Vigie replaces. */
  aliases: readonly string[];
  /** As written in the documentation; null when an unset variable has a meaning. */
  default: string | null;
  doc: string;
  /** The accepted values, in words. */
  type: string;
  /** Accepts several values: separated by commas, or a sequence in vigie.yml. */
  list: boolean;
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

/** A rule for a text; `check` throws a sentence for people when the text breaks it. */
export interface Format {
  type: string;
  check(text: string): void;
}

function variable<Value>(
  written: Written,
  type: string,
  fallback: string | null,
  parse: (text: string) => Value,
): Variable<Value> {
  return { aliases: [], secret: false, list: false, ...written, type, default: fallback, parse };
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
  return variable(rest, `whole number from ${min} to ${max}`, String(fallback), (text) =>
    integer(text, min, max),
  );
}

/** May be unset: null. */
export function optionalIntegerVariable(
  written: Written & { min: number; max: number },
): Variable<number | null> {
  const { min, max, ...rest } = written;
  return variable<number | null>(rest, `whole number from ${min} to ${max}`, null, (text) =>
    integer(text, min, max),
  );
}

export function switchVariable(written: Written & { default: boolean }): Variable<boolean> {
  const { default: fallback, ...rest } = written;
  return variable(rest, 'true or false', String(fallback), (text) => {
    const word = text.trim().toLowerCase();
    if (['true', '1', 'yes', 'on'].includes(word)) return true;
    if (['false', '0', 'no', 'off'].includes(word)) return false;
    throw new Error('must be true or false');
  });
}

export function textVariable(written: Written & { default: string }): Variable<string> {
  const { default: fallback, ...rest } = written;
  return variable(rest, 'text', fallback, (text) => text);
}

/** May be unset: null. */
export function optionalVariable(written: Written & { check?: Format }): Variable<string | null> {
  const { check, ...rest } = written;
  return variable<string | null>(rest, check?.type ?? 'text', null, (text) => {
    check?.check(text);
    return text;
  });
}

export function listVariable<Word extends string>(
  written: Written & { words: readonly Word[]; default: string },
): Variable<readonly Word[]> {
  const { words, default: fallback, ...rest } = written;
  const parse = (text: string) => {
    const parts = text.split(',').map((part) => part.trim());
    const unknown = parts.filter((part) => !(words as readonly string[]).includes(part));
    if (unknown.length > 0) throw new Error(`must be a list of ${words.join(', ')}`);
    return words.filter((word) => parts.includes(word));
  };
  return { ...variable(rest, `list of ${words.join(', ')}`, fallback, parse), list: true };
}

export function choiceVariable<Word extends string>(
  written: Written & { words: readonly Word[]; default: Word },
): Variable<Word> {
  const { words, default: fallback, ...rest } = written;
  return variable(rest, `one of ${words.join(', ')}`, fallback, (text) => {
    const word = words.find((candidate) => candidate === text.trim().toLowerCase());
    if (word === undefined) throw new Error(`must be one of ${words.join(', ')}`);
    return word;
  });
}

/** Origins of web servers, separated by commas; `*.` stands for any subdomain. */
export function originsVariable(written: Written & { default: string }): Variable<readonly string[]> {
  const { default: fallback, ...rest } = written;
  const parse = (text: string) => {
    const origins = text.split(',').map((part) => part.trim().toLowerCase());
    if (!origins.every((origin) => /^https?:\/\/(?:\*\.)?[a-z0-9.-]+(?::\d{1,5})?$/.test(origin)))
      throw new Error('must be a list of origins such as https://push.example.com or https://*.example.com');
    return origins;
  };
  return { ...variable(rest, 'list of origins', fallback, parse), list: true };
}

const MAX_ORIGINS = 100;

/** Origins of web pages as browsers send them (RFC 6454 §6.2), each exact. Unset: null. */
export function exactOriginsVariable(written: Written): Variable<readonly string[] | null> {
  const parse = (text: string) => {
    const parts = text.split(',').map((part) => part.trim());
    const faults = parts.flatMap((part, at) => {
      const fault = faultOfOrigin(part);
      return fault === null ? [] : [`number ${at + 1} ${fault}`];
    });
    if (parts.length > MAX_ORIGINS) faults.push(`it has more than ${MAX_ORIGINS}`);
    if (faults.length > 0) {
      const sentence = 'must be a list of exact origins such as https://intranet.example.com';
      throw new Error(`${sentence}: ${faults.slice(0, 5).join(', ')}`);
    }
    return [...new Set(parts.map((part) => new URL(part).origin))];
  };
  return { ...variable(written, 'list of exact origins', null, parse), list: true };
}

/** Why a text is not the origin of a web page; null if it is one. */
function faultOfOrigin(text: string): string | null {
  if (text === '') return 'is empty';
  if (text.includes('*')) return 'has a wildcard';
  const url = /^https?:\/\//i.test(text) ? parseUrl(text) : null;
  if (url === null) return 'does not begin with http:// or https://';
  if (url.username !== '' || url.password !== '') return 'has a user name or password';
  return /[/?#]/.test(text.replace(/^https?:\/\//i, '')) ? 'has a path' : null;
}

/** A URL with one of these protocols. */
export function url(...protocols: string[]): Format {
  const beginnings = protocols.map((name) => `${name}://`).join(' or ');
  return {
    type: `URL that begins with ${beginnings}`,
    check: (text) => {
      const { protocol } = parseUrl(text) ?? { protocol: '' };
      if (!protocols.includes(protocol.replace(':', ''))) {
        throw new Error(`must be a URL that begins with ${beginnings}`);
      }
    },
  };
}

const ITEM_URL_FIELDS = ['tenant', 'type', 'id'];

/** A URL pattern for the pages of items. */
export const ITEM_URL: Format = {
  type: 'URL with {id}, optionally {tenant} and {type}',
  check: (text) => {
    const sample = text.replace(/\{(\w+)\}/g, (field, name: string) =>
      ITEM_URL_FIELDS.includes(name) ? name : field,
    );
    const isUrl = /^https?:$/.test(parseUrl(sample)?.protocol ?? '');
    if (!isUrl || /[{}]/.test(sample) || !text.includes('{id}')) {
      throw new Error(
        'must be an http or https URL with {id}; the only other fields are {tenant} and {type}',
      );
    }
  },
};

export function atLeast(characters: number): Format {
  return {
    type: `text of at least ${characters} characters`,
    check: (text) => {
      if (text.length < characters) throw new Error(`must have at least ${characters} characters`);
    },
  };
}

/** Addresses of machines: each an IP, a network (10.0.0.0/8), or one of these names for several networks. */
export const ADDRESSES: Format = {
  type: 'list of addresses: IP, network (10.0.0.0/8), loopback, linklocal or uniquelocal',
  check: (text) => {
    const wrong = text.split(',').find((part) => !isAddress(part.trim()));
    if (wrong !== undefined) {
      throw new Error('must be a list of IP addresses, networks, loopback, linklocal or uniquelocal');
    }
  },
};

function isAddress(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [address = '', bits, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0) return false;
  return bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}
