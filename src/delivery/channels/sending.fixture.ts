import { SendError, type SendLease } from './sender.js';

const open: (() => Promise<unknown>)[] = [];

/** Closes it after the test, the last one first. */
export function closing<T extends { close: () => Promise<unknown> }>(thing: T): T {
  open.push(() => thing.close());
  return thing;
}

/** For `afterEach`. */
export async function closeAll(): Promise<void> {
  for (let close = open.pop(); close !== undefined; close = open.pop()) await close();
}

/** A lease that the test controls. */
export class TestLease implements SendLease {
  private readonly controller = new AbortController();
  private valid = true;
  readonly signal = this.controller.signal;

  isValid(): boolean {
    return this.valid;
  }

  /** Expires it without a signal. */
  expire(): void {
    this.valid = false;
  }

  /** Aborts its signal, as for a lost lease. */
  lose(): void {
    this.valid = false;
    this.controller.abort();
  }
}

/** `sent`, or the failure, with its cause if the channel is to blame. */
export async function outcome(sending: Promise<unknown>): Promise<string> {
  try {
    await sending;
    return 'sent';
  } catch (error) {
    if (error instanceof SendError)
      return error.cause === undefined ? error.failure : `${error.failure} ${error.cause}`;
    throw error;
  }
}

/** The SendError's message. */
export async function reason(sending: Promise<unknown>): Promise<string> {
  try {
    await sending;
  } catch (error) {
    if (error instanceof SendError) return error.message;
    throw error;
  }
  throw new Error('It was sent');
}
