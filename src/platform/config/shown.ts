import type { Config, Setting, Source } from './config.js';
import { SCHEMA } from './schema.js';
import type { Variable } from './variables.js';

/** A setting as people may see it. */
export interface ShownSetting {
  /** The environment's name. */
  variable: string;
  /** Its place in vigie.yml. */
  setting: string;
  /** Secrets as `***`, also the password in a URL; null where it is unset. */
  value: string | number | boolean | readonly string[] | null;
  source: Source['kind'];
  /** Where it was written, by what name; null for a default. */
  written_as: string | null;
  default: string | null;
}

/** Every setting with the value in force and where it came from; no secret. */
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
  if (type.startsWith('URL') && URL.canParse(value)) return withoutPassword(new URL(value));
  return secret ? '***' : value;
}

/** Who and where, for people to recognise it. A query may hold passwords too, by whatever name: it is left out. */
function withoutPassword(url: URL): string {
  if (url.password !== '') url.password = '***';
  if (url.search !== '') url.search = '?***';
  return url.href;
}
