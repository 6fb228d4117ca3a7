import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigurationError } from './faults.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** All settings together need a few thousand characters. */
const MAX_LENGTH = 65_536;

const BLANK_OR_COMMENT = /^\s*(#.*)?$/;
/** A quoted value ends on its line. An unquoted one starts with any other character; ` #` starts a comment. */
const ASSIGNMENT =
  /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(?:("[^"]*"|'[^']*'|`[^`]*`)\s*(?:#.*)?|[^"'`\s].*)?$/;

/** Docker Compose reads this # as part of the value, Node.js as the start of a comment. */
const AMBIGUOUS = /^[^=]*=\s*[^"'`\s#](?:[^#]*[^\s#])?#/;

/**
 * The environment, plus the variables of `.env` in the working directory, or of the file that VIGIE_ENV_FILE names
 * (none when that is empty). Variables of the environment take precedence, even when empty.
 * @throws ConfigurationError naming the lines that are not `NAME=VALUE`, without their contents: those may be secrets.
 */
export function withEnvFile(environment: Environment): Environment {
  const named = environment.VIGIE_ENV_FILE;
  if (named === '') return environment;
  return { ...readEnvFile(named ?? '.env', named !== undefined), ...environment };
}

/** @param required whether the file must exist. */
function readEnvFile(path: string, required: boolean): Record<string, string> {
  const text = readText(path, required);
  const values: Record<string, string> = {};
  const lineOf = new Map<string, number>();
  const faults: string[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (BLANK_OR_COMMENT.test(line)) continue;
    const where = `${path} line ${index + 1}`;
    const name = ASSIGNMENT.exec(line)?.[1];
    if (name === undefined) {
      faults.push(`${where} is not NAME=VALUE`);
      continue;
    }
    if (AMBIGUOUS.test(line))
      faults.push(`${where} has a # in the value of ${name}: put the value in quotes`);
    const earlier = lineOf.get(name);
    if (earlier !== undefined) faults.push(`${where} sets ${name} again, after line ${earlier}`);
    lineOf.set(name, index + 1);
    values[name] = parseEnv(line)[name] ?? '';
  }
  if (faults.length > 0) throw new ConfigurationError(faults.slice(0, MAX_FAULTS));
  return values;
}

/** A file of another kind has a fault on each line. */
const MAX_FAULTS = 10;

function readText(path: string, required: boolean): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const code =
      typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'unreadable';
    if (code === 'ENOENT' && !required) return '';
    throw new ConfigurationError([
      code === 'EISDIR'
        ? `${path} is a folder: it must be a file, or not exist`
        : `${path} cannot be read (${code})`,
    ]);
  }
  if (bytes.length > MAX_LENGTH) throw new ConfigurationError([`${path} has more than ${MAX_LENGTH} bytes`]);
  try {
    // The decoder drops a byte order mark.
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (!text.includes('\0')) return text;
  } catch {
    // The error below reports it.
  }
  throw new ConfigurationError([`${path} is not a UTF-8 text file`]);
}
