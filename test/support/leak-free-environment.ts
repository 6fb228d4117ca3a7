import { TestEnvironment } from 'jest-environment-node';
// Jest's mapping of names that end in .js does not apply to this file, which it loads first.
import { ApiContract, type ObservedAnswer } from './api-contract.ts';
import { openHandles, requireNoLeak } from './open-handles.ts';

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
    try {
      await requireNoLeak(this.before);
    } finally {
      await super.teardown();
    }
  }
}
