import type { Config, Setting, Source } from './config.js';
import { SCHEMA } from './schema.js';
import type { Variable } from './variables.js';
import { parseUrl } from '../text/url.js';

/** A setting with any secrets removed. */
export interface ShownSetting {
  /** The name in the environment. */
  variable: string;
  /** The path in vigie.yml. */
  setting: string;
  /** Secrets, including the password in a URL, are `***`; null when unset. */
  value: string | number | boolean | readonly string[] | null;
  source: Source['kind'];
  /** Where and under which name it was written; null for a default. */
  written_as: string | null;
  default: string | null;
}

/** Every setting with its current value and source, without secrets. */
export function shownSettings(config: Config): ShownSetting[] {
  return (Object.entries(SCHEMA) as [Setting, Variable<unknown>][]).map(([key, variable]) => ({
    variable: variable.env,
    setting: variable.yaml,
    value: shown(config[key], variable),
    source: config.sources[key].kind,
    written_as: config.sources[key].name,
    default: variable.default,
  }));
}

function shown(value: Config[Setting], { secret, type }: Variable<unknown>): ShownSetting['value'] {
  if (typeof value !== 'string') return secret && value !== null ? '***' : value;
  // By its declared type, not by its value: a password may look like a URL.
  if (!type.startsWith('URL')) return secret ? '***' : value;
  const url = parseUrl(value);
  return url === null ? withoutLogin(value, secret) : withoutPassword(url);
}

/** Keeps user and host, for people to recognise the URL. Drops the query: it may hold passwords under any name. */
function withoutPassword(url: URL): string {
  if (url.password !== '') url.password = '***';
  if (url.search !== '') url.search = '?***';
  return url.href;
}

/** For a URL of several hosts, such as the addresses of Sentinels, which is none by the URL standard. */
function withoutLogin(text: string, secret: boolean): string {
  const [, scheme, authority = '', path = '', query] =
    /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)([^?#]*)(.*)$/i.exec(text) ?? [];
  if (scheme === undefined) return secret ? '***' : text;
  const at = authority.lastIndexOf('@');
  const [user = '', ...password] = authority.slice(0, Math.max(at, 0)).split(':');
  const login = at < 0 ? '' : `${user}${password.length > 0 ? ':***' : ''}@`;
  return `${scheme}${login}${authority.slice(at + 1)}${path}${query === '' ? '' : '?***'}`;
}
