import { existsSync, readFileSync } from 'node:fs';
import { parse as parseYaml, YAMLParseError } from 'yaml';
import { parseEmailAddress } from '../addresses/email-address.js';
import { ConfigurationError } from './faults.js';
import { isLoopback } from './formats.js';
import { hookContradictions } from './hook-settings.js';
import { pushContradictions } from './push-settings.js';
import { smsContradictions } from './sms-settings.js';
import { SCHEMA } from './schema.js';
import type { Variable } from './variables.js';

export { ConfigurationError } from './faults.js';

export type Setting = keyof typeof SCHEMA;

/** Where a value was written: a variable's name, a path in vigie.yml; both null for a default. */
export interface Source {
  kind: 'environment' | 'file' | 'default' | 'embedded';
  /** The name used there: an alias, a name that ends with _FILE, a path in the file. */
  name: string | null;
}

/** An installation's settings, read once at start. Each name states the unit of its time. */
export type Config = { readonly [Key in Setting]: ReturnType<(typeof SCHEMA)[Key]['parse']> } & {
  /** Where each value came from, for display. */
  readonly sources: Readonly<Record<Setting, Source>>;
};

/** Injection token of the configuration. */
export const CONFIG = Symbol('configuration');

type Environment = Readonly<Record<string, string | undefined>>;

/** The parts of the configuration that are needed. */
interface Purpose {
  /** Whether mails are sent. If not, faulty e-mail settings are ignored. True by default. */
  mail?: boolean;
}

/** A configuration that may be faulty. */
export interface ExaminedConfig {
  /** A setting with a fault has its default value. */
  config: Config;
  /** Every fault, one sentence each. */
  faults: string[];
  faulty: ReadonlySet<Setting>;
}

/**
 * Reads the environment, then vigie.yml (path in VIGIE_CONFIG), then the defaults.
 * @throws ConfigurationError with every fault found.
 */
export function readConfig(environment: Environment, purpose: Purpose = {}): Config {
  const { config, faults } = examineConfig(environment, purpose);
  if (faults.length > 0) throw new ConfigurationError(faults);
  return config;
}

/** Like `readConfig`, but returns the faults, for `vigie doctor`. */
export function examineConfig(environment: Environment, { mail = true }: Purpose = {}): ExaminedConfig {
  const faults: string[] = [];
  const faulty = new Set<Setting>();
  const file = readFile(environment, faults);
  const values: Record<string, unknown> = {};
  const sources: Record<string, Source> = {};
  for (const [key, variable] of Object.entries(SCHEMA) as [Setting, Variable<unknown>][]) {
    const before = faults.length;
    const written = fromEnvironment(variable, environment, faults) ?? fromFile(variable, file);
    const text = written?.text ?? variable.default;
    sources[key] = written?.source ?? { kind: 'default', name: null };
    try {
      values[key] = text === null ? null : variable.parse(text);
    } catch (error) {
      values[key] = variable.default === null ? null : variable.parse(variable.default);
      if (!mail && variable.yaml.startsWith('email.')) continue;
      faults.push(
        `${written?.where ?? variable.env} ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    if (faults.length > before) faulty.add(key);
  }
  // The loop above has set one value of the schema's type for each key.
  const config = { ...values, sources } as unknown as Config;
  const contradicting = [
    ...contradictions(config),
    ...(mail ? mailContradictions(config, environment) : []),
    ...(mail ? smsContradictions(config) : []),
    ...(mail ? pushContradictions(config) : []),
    ...(mail ? hookContradictions(config) : []),
  ];
  // A setting with a fault of its own contradicts nothing: it has its default.
  const names = [...faulty].map((setting) => SCHEMA[setting].env);
  faults.push(...contradicting.filter((sentence) => !names.some((name) => sentence.includes(name))));
  return { config, faults, faulty };
}

/** The public URL of this server, without a trailing slash. */
export function publicUrl(config: Config): string {
  return (config.publicUrl ?? `http://localhost:${config.port}`).replace(/\/+$/, '');
}

/** The URL pattern of items in mails: ITEM_URL, else the console, which finds the page of the item's type. */
export function itemUrlPattern(config: Config): string {
  return config.itemUrl ?? `${publicUrl(config)}/items/{type}/{id}?tenant={tenant}`;
}

/** Valid settings that are probably unintended: one sentence each, for the log at start and for `doctor`. */
export function configurationWarnings(config: Config): string[] {
  const { hostname } = new URL(publicUrl(config));
  if (!sendsToOtherHost(config) || !isLoopback(hostname)) return [];
  const unset = config.publicUrl === null ? ' (VIGIE_PUBLIC_URL is unset)' : '';
  return [
    `Links in mails point to ${publicUrl(config)}${unset}, which other machines cannot open: set VIGIE_PUBLIC_URL`,
  ];
}

/** Whether an external PostgreSQL is configured. Otherwise one is started on this machine. */
export function hasExternalDatabase({ databaseUrl, databaseAppUrl, databaseSystemUrl }: Config): boolean {
  return databaseUrl !== null || (databaseAppUrl !== null && databaseSystemUrl !== null);
}

/** Whether mails go to another machine, and so to people who do not use this one. */
function sendsToOtherHost({ smtpHost }: Config): boolean {
  return smtpHost !== null && !isLoopback(smtpHost);
}

interface Written {
  /** For error messages. */
  where: string;
  source: Source;
  text: string;
}

function fromEnvironment(
  variable: Variable<unknown>,
  environment: Environment,
  faults: string[],
): Written | undefined {
  for (const name of [variable.env, ...variable.aliases]) {
    const text = environment[name];
    // An empty variable counts as unset: compose files pass those on.
    if (text !== undefined && text !== '') return inEnvironment(name, text);
    const path = environment[`${name}_FILE`];
    if (path !== undefined && path !== '') {
      const read = fromSecretFile(`${name}_FILE`, path);
      if (typeof read !== 'string') return read;
      faults.push(read);
      return undefined;
    }
  }
  return undefined;
}

function inEnvironment(name: string, text: string): Written {
  return { where: name, source: { kind: 'environment', name }, text };
}

/** The value in the file that `<name>_FILE` names, or what is wrong with it. */
function fromSecretFile(where: string, path: string): Written | string {
  try {
    const text = readFileSync(path, 'utf8').trim();
    // Unlike an empty variable, an empty secret file is never intended: it would mean no password.
    return text === '' ? `${where} names an empty file: ${path}` : inEnvironment(where, text);
  } catch {
    return `${where} names a file that cannot be read: ${path}`;
  }
}

function fromFile(variable: Variable<unknown>, file: ReadonlyMap<string, string>): Written | undefined {
  const text = file.get(variable.yaml);
  if (text === undefined) return undefined;
  const source: Source = { kind: 'file', name: variable.yaml };
  return { where: `${variable.yaml} in the configuration file`, source, text };
}

/** vigie.yml as path → text. Without VIGIE_CONFIG a missing file counts as empty. */
function readFile(environment: Environment, faults: string[]): Map<string, string> {
  const named = environment.VIGIE_CONFIG ?? '';
  const path = named === '' ? 'vigie.yml' : named;
  const flat = new Map<string, string>();
  if (named === '' && !existsSync(path)) return flat;
  try {
    const text = readFileSync(path, 'utf8');
    if (text.length > MAX_FILE_LENGTH) {
      faults.push(`${path} has more than ${MAX_FILE_LENGTH} characters`);
      return flat;
    }
    // Every scalar stays as written: a password may look like a number, a switch like a word.
    const root: unknown = parseYaml(text, { schema: 'failsafe', logLevel: 'error' });
    if (isMapping(root)) flatten(root, '', flat, faults);
    else if (root !== null && root !== '') faults.push(`${path} must contain settings by name`);
  } catch (error) {
    faults.push(`${path} ${unreadableReason(error)}`);
  }
  return flat;
}

/** All settings together need a few thousand characters; parsing a far larger file only wastes time. */
const MAX_FILE_LENGTH = 65_536;

/** Never the parser's message: it quotes the file, which holds passwords. */
function unreadableReason(error: unknown): string {
  if (error instanceof YAMLParseError) {
    const [start] = error.linePos ?? [];
    return `is not valid YAML${start === undefined ? '' : ` at line ${start.line}, column ${start.col}`}`;
  }
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string') {
    return `cannot be read (${error.code})`;
  }
  return 'is not valid YAML: its anchors or its nesting are not valid';
}

function isMapping(node: unknown): node is Record<string, unknown> {
  return typeof node === 'object' && node !== null && !Array.isArray(node);
}

function flatten(node: unknown, path: string, into: Map<string, string>, faults: string[]): void {
  // A name without a value counts as unset.
  if (node === null || node === '' || node === 'null' || node === '~') return;
  const variable = Object.values(SCHEMA).find(({ yaml }) => yaml === path);
  if (variable === undefined) {
    if (!isMapping(node)) faults.push(`${path} in the configuration file is not a setting`);
    else {
      for (const [key, child] of Object.entries(node)) {
        flatten(child, path === '' ? key : `${path}.${key}`, into, faults);
      }
    }
  } else if (typeof node === 'string') into.set(path, node);
  else if (variable.list && Array.isArray(node)) into.set(path, node.map(String).join(','));
  else faults.push(`${path} in the configuration file must be a single value`);
}

function contradictions(config: Config): string[] {
  const faults: string[] = [];
  if ((config.operatorEmail === null) !== (config.operatorPassword === null)) {
    faults.push('VIGIE_OPERATOR_EMAIL and VIGIE_OPERATOR_PASSWORD must be set together');
  }
  if ((config.databaseAppUrl === null) !== (config.databaseSystemUrl === null)) {
    faults.push('DATABASE_APP_URL and DATABASE_SYSTEM_URL must be set together');
  }
  if (hasExternalDatabase(config) && config.jwtSecret === null) {
    faults.push('JWT_SECRET is required when DATABASE_URL or DATABASE_APP_URL is set');
  }
  if (config.channelProbeSeconds > config.channelProbeMaxSeconds) {
    faults.push('CHANNEL_PROBE_SECONDS must not be more than CHANNEL_PROBE_MAX_SECONDS');
  }
  return faults;
}

function mailContradictions(config: Config, environment: Environment): string[] {
  const faults: string[] = [];
  if ((config.smtpUser === null) !== (config.smtpPassword === null)) {
    faults.push('SMTP_USER and SMTP_PASSWORD must be set together');
  }
  if (
    config.smtpHost !== null &&
    config.smtpFromEmail === null &&
    parseEmailAddress(config.smtpUser ?? '') === null
  ) {
    faults.push('SMTP_FROM_EMAIL is required when SMTP_HOST is set');
  }
  if (config.caughtMailsDir !== null) {
    if (environment.NODE_ENV === 'production') {
      faults.push(
        'CAUGHT_MAILS_DIR must not be set with NODE_ENV=production: caught mails are for development',
      );
    }
    if (config.smtpHost === null || sendsToOtherHost(config)) {
      faults.push('CAUGHT_MAILS_DIR requires an SMTP_HOST on this machine: its mail catcher');
    }
  }
  if (environment.NODE_ENV === 'production' && sendsToOtherHost(config) && config.publicUrl === null) {
    faults.push(
      'VIGIE_PUBLIC_URL is required when SMTP_HOST is another machine: links in mails would point to localhost',
    );
  }
  return faults;
}
