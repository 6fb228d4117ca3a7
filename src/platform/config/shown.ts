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
  const url = type.startsWith('URL') ? parseUrl(value) : null;
  if (url !== null) return withoutPassword(url);
  return secret ? '***' : value;
}

/** Keeps user and host, for people to recognise the URL. Drops the query: it may hold passwords under any name. */
function withoutPassword(url: URL): string {
  if (url.password !== '') url.password = '***';
  if (url.search !== '') url.search = '?***';
  return url.href;
}
