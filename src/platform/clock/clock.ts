import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';

/** The instant of a preview, for the code that runs in it. */
const pretended = new AsyncLocalStorage<number>();

/** Runs `work` while every clock shows this instant to it. Everything outside of it keeps its own time. */
export function pretendNow<Result>(instant: Date, work: () => Result): Result {
  return pretended.run(instant.getTime(), work);
}

/** The only source of "now". Nothing else calls `new Date()` or `Date.now()` to decide what is due. */
export abstract class Clock {
  /** The current instant (a fresh object, which the caller may change). */
  now(): Date {
    return new Date(pretended.getStore() ?? this.read());
  }

  /** What the clock shows, in ms since 1970. */
  protected abstract read(): number;
}

/** The machine's clock. */
@Injectable()
export class SystemClock extends Clock {
  protected override read(): number {
    return Date.now();
  }
}
