import { setTimeout as delay } from 'node:timers/promises';
import { TestEnvironment } from 'jest-environment-node';
// Jest's own way to names that end in .js does not reach this file, which it loads before any other.
import { ApiContract, type ObservedAnswer } from './api-contract.ts';

/** What keeps a process from ending of itself, as Node calls it. Bull's workers hold sockets. */
const HANDLES = [
  'TCPSocketWrap',
  'TCPServerWrap',
  'TLSWrap',
  'PipeWrap',
  'PipeServerWrap',
  'ProcessWrap',
  'UDPWrap',
  'FSEventWrap',
  'StatWatcher',
  'Timeout',
];

/** What was closed may need a moment to be gone, in ms. */
const PATIENCE_MS = 5_000;
const LOOK_EVERY_MS = 20;

type CheckAgainstApi = (answer: ObservedAnswer, document: () => string) => void;

/** The document is asked for at the first answer. */
function contractCheck(): CheckAgainstApi {
  let contract: ApiContract | undefined;
  return (answer, document) => {
    contract ??= new ApiContract(document());
    contract.check(answer);
  };
}

/** Made once a worker process: files have modules of their own, this one is outside of them. */
const checkAgainstApi = contractCheck();

/**
 * A test file fails if it leaves something running: a server, a connection, a worker, a child process, a timer. Files
 * share a process, so what counts is what was not there before the file.
 *
 * A file that changes the API, with mocks, has a contract of its own: `@jest-environment-options {"ownApi": true}`.
 */
export default class LeakFreeEnvironment extends TestEnvironment {
  private before = openHandles();
  private readonly check: CheckAgainstApi;

  constructor(...made: ConstructorParameters<typeof TestEnvironment>) {
    super(...made);
    const [{ projectConfig }] = made;
    const { ownApi } = projectConfig.testEnvironmentOptions;
    this.check = ownApi === true ? contractCheck() : checkAgainstApi;
  }

  override async setup(): Promise<void> {
    await super.setup();
    this.global.checkAgainstApi = this.check;
    this.before = openHandles();
  }

  /** What servers under test logged is shown where a test failed: elsewhere their errors are expected ones. */
  handleTestEvent(event: { name: string; test?: { errors: readonly unknown[] } }): void {
    if (event.name === 'test_start') this.global.logged = [];
    const failed = event.name === 'test_done' && (event.test?.errors.length ?? 0) > 0;
    if (failed) process.stdout.write(this.global.logged?.join('') ?? '');
  }

  override async teardown(): Promise<void> {
    const until = Date.now() + PATIENCE_MS;
    let left: string[];
    do {
      // Before the first look too: what was begun last may not be open yet.
      await delay(LOOK_EVERY_MS, undefined, { ref: false });
      left = leaked(this.before);
    } while (left.length > 0 && Date.now() < until);
    await super.teardown();
    if (left.length > 0) throw new Error(`the file has left open: ${left.join(', ')}`);
  }
}

/** How many of each kind this process has open. */
export function openHandles(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** What is open now and was not `before`, in words. */
export function leaked(before: ReadonlyMap<string, number>): string[] {
  const now = openHandles();
  return HANDLES.flatMap((kind) => {
    const more = (now.get(kind) ?? 0) - (before.get(kind) ?? 0);
    return more > 0 ? [`${more} ${kind}`] : [];
  });
}
