import { existsSync, readFileSync } from 'node:fs';
import { parse as parseYaml } from 'yaml';
import { SCHEMA } from './schema.js';
import type { Variable } from './variables.js';

/** An installation's settings, read once at start. Times are in the unit that the name gives. */
export type Config = { readonly [Key in keyof typeof SCHEMA]: ReturnType<(typeof SCHEMA)[Key]['parse']> };

/** Injection token of the configuration. */
export const CONFIG = Symbol('configuration');

/** All that is wrong with a configuration, at once. */
export class ConfigurationError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(`The configuration is not valid:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
    this.name = 'ConfigurationError';
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the environment, then vigie.yml (path in VIGIE_CONFIG), then the defaults.
 * @throws ConfigurationError with every fault found.
 */
export function readConfig(environment: Environment): Config {
  const faults: string[] = [];
  const file = readFile(environment, faults);
  const values: Record<string, unknown> = {};
  for (const [key, variable] of Object.entries(SCHEMA) as [string, Variable<unknown>][]) {
    const written = fromEnvironment(variable, environment, faults) ?? fromFile(variable, file);
    const text = written?.text ?? variable.default;
    try {
      values[key] = text === null ? null : variable.parse(text);
    } catch (error) {
      faults.push(`${written?.where ?? variable.env} ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  for (const path of file.keys()) {
    if (!Object.values(SCHEMA).some((variable) => variable.yaml === path)) {
      faults.push(`${path} in the configuration file is not a setting`);
    }
  }
  // What the loop above put there is what the schema says: one value of its type for each of its keys.
  const config = values as unknown as Config;
  if (faults.length === 0) faults.push(...contradictions(config));
  if (faults.length > 0) throw new ConfigurationError(faults);
  return config;
}

/** Every setting, secrets as `***`, for people to see. */
export function maskedConfig(config: Config): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(SCHEMA).map(([key, variable]) => {
      const value = config[key as keyof Config];
      return [variable.yaml, variable.secret && value !== null ? '***' : value];
    }),
  );
}

/** Where people reach this server, without a slash at the end. */
export function publicUrl(config: Config): string {
  return (config.publicUrl ?? `http://localhost:${config.port}`).replace(/\/+$/, '');
}

interface Written {
  where: string;
  text: string;
}

function fromEnvironment(
  variable: Variable<unknown>,
  environment: Environment,
  faults: string[],
): Written | undefined {
  for (const name of [variable.env, ...variable.aliases]) {
    const text = environment[name];
    // An empty variable is an unset one: compose files pass those on.
    if (text !== undefined && text !== '') return { where: name, text };
    const path = environment[`${name}_FILE`];
    if (path !== undefined && path !== '') {
      try {
        return { where: `${name}_FILE`, text: readFileSync(path, 'utf8').trim() };
      } catch {
        faults.push(`${name}_FILE names a file that cannot be read: ${path}`);
        return undefined;
      }
    }
  }
  return undefined;
}

function fromFile(variable: Variable<unknown>, file: ReadonlyMap<string, string>): Written | undefined {
  const text = file.get(variable.yaml);
  return text === undefined ? undefined : { where: `${variable.yaml} in the configuration file`, text };
}

/** vigie.yml as path → text. Without VIGIE_CONFIG a missing file is an empty one. */
function readFile(environment: Environment, faults: string[]): Map<string, string> {
  const path = environment.VIGIE_CONFIG ?? 'vigie.yml';
  if (environment.VIGIE_CONFIG === undefined && !existsSync(path)) return new Map();
  try {
    const flat = new Map<string, string>();
    flatten(parseYaml(readFileSync(path, 'utf8')), '', flat);
    return flat;
  } catch (error) {
    faults.push(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return new Map();
  }
}

function flatten(node: unknown, path: string, into: Map<string, string>): void {
  if (node === null || node === undefined) return;
  if (Array.isArray(node)) into.set(path, node.join(','));
  else if (typeof node === 'object') {
    for (const [key, child] of Object.entries(node)) flatten(child, path === '' ? key : `${path}.${key}`, into);
  } else if (typeof node === 'string' || typeof node === 'number' || typeof node === 'boolean') {
    into.set(path, String(node));
  }
}

function contradictions(config: Config): string[] {
  const faults: string[] = [];
  if ((config.operatorEmail === null) !== (config.operatorPassword === null)) {
    faults.push('VIGIE_OPERATOR_EMAIL and VIGIE_OPERATOR_PASSWORD go together');
  }
  if (config.databaseUrl === null && (config.databaseAppUrl !== null || config.databaseSystemUrl !== null)) {
    faults.push('DATABASE_APP_URL and DATABASE_SYSTEM_URL need DATABASE_URL');
  }
  if ((config.databaseAppUrl === null) !== (config.databaseSystemUrl === null)) {
    faults.push('DATABASE_APP_URL and DATABASE_SYSTEM_URL go together');
  }
  if (config.databaseUrl !== null && config.jwtSecret === null) {
    faults.push('JWT_SECRET is required when DATABASE_URL is set');
  }
  if ((config.smtpUser === null) !== (config.smtpPassword === null)) {
    faults.push('SMTP_USER and SMTP_PASSWORD go together');
  }
  if (config.smtpHost !== null && config.smtpFromEmail === null && !config.smtpUser?.includes('@')) {
    faults.push('SMTP_FROM_EMAIL is required when SMTP_HOST is set');
  }
  return faults;
}
