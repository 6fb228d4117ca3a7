import { CommanderError } from 'commander';

/** The exit codes of the commands. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

/** A missing or invalid argument or option. */
export class UsageError extends Error {}

/**
 * The exit code for an error that a command threw.
 * Commander throws for `--help` and `--version` too, with its own code 0.
 */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  return error instanceof UsageError ? EXIT.usage : EXIT.failed;
}
