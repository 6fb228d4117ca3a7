import { type Config, readConfig } from '../platform/config/config.js';
import { withEnvFile } from '../platform/config/env-file.js';
import type { Terminal } from './password-input.js';

/**
 * The configuration for commands: none of them sends mails.
 * @throws ConfigurationError
 */
export function settings(): Config {
  return readConfig(withEnvFile(process.env), { mail: false });
}

/** Opens standard input. Prompts go to standard error, because standard output may be piped. */
export function terminal(): Terminal {
  return { input: process.stdin, output: process.stderr };
}
