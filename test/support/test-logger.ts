import { JsonLogger } from '../../src/platform/logging/logger.js';

declare global {
  /** The log lines of the running test. */
  var logged: string[] | undefined;
}

/** Most log lines kept of a test. */
const MAX_LINES = 200;

/**
 * The logger of a server in the test's process. Many tests make a server log errors: its lines are kept, and shown if
 * the test fails (leak-free-environment.ts). With TEST_LOG_LEVEL they are shown at once.
 */
export function testLogger(level: string): JsonLogger {
  if (process.env.TEST_LOG_LEVEL !== undefined) return new JsonLogger(level);
  return new JsonLogger(level, {
    write: (line: string) => {
      if (globalThis.logged !== undefined && globalThis.logged.length < MAX_LINES)
        globalThis.logged.push(line);
    },
  });
}
