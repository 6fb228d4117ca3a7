import { setTimeout as delay } from 'node:timers/promises';
import { TestEnvironment } from 'jest-environment-node';
// Jest's mapping of names that end in .js does not apply to this file, which it loads first.
import { ApiContract, type ObservedAnswer } from './api-contract.ts';

/** Resources that keep a process alive, by Node's names. Bull's workers hold sockets. */
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

/** How long closed resources may take to disappear, in ms. */
const PATIENCE_MS = 5_000;
const LOOK_EVERY_MS = 20;

type CheckAgainstApi = (answer: ObservedAnswer, document: () => string) => void;

/** Requests the document at the first response. */
function contractCheck(): CheckAgainstApi {
  let contract: ApiContract | undefined;
  return (answer, document) => {
    contract ??= new ApiContract(document());
    contract.check(answer);
  };
}

/** Created once per worker process: each test file has its own modules, but shares this one. */
const checkAgainstApi = contractCheck();

/**
 * A test file fails if it leaves something running: a server, a connection, a worker, a child process, a timer. Files
 * share a process, so only what was opened since the file's start counts.
 *
 * A file that changes the API with mocks has its own contract: `@jest-environment-options {"ownApi": true}`.
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

  /** Shows the server's log only for a failed test: other tests expect the errors in it. */
  handleTestEvent(event: { name: string; test?: { errors: readonly unknown[] } }): void {
    if (event.name === 'test_start') this.global.logged = [];
    const failed = event.name === 'test_done' && (event.test?.errors.length ?? 0) > 0;
    if (failed) process.stdout.write(this.global.logged?.join('') ?? '');
  }

  override async teardown(): Promise<void> {
    const until = Date.now() + PATIENCE_MS;
    let left: string[];
    do {
      // Also before the first check: what was started last may not be open yet.
      await delay(LOOK_EVERY_MS, undefined, { ref: false });
      left = leaked(this.before);
    } while (left.length > 0 && Date.now() < until);
    await super.teardown();
    if (left.length > 0) throw new Error(`the file has left open: ${left.join(', ')}`);
  }
}

/** The number of open resources of this process, by kind. */
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
