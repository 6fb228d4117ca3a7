import { Injectable } from '@nestjs/common';

/** The only source of "now". Nothing else calls `new Date()` or `Date.now()` to decide what is due. */
export abstract class Clock {
  /** The current instant (a fresh object, which the caller may change). */
  abstract now(): Date;
}

/** The machine's clock. */
@Injectable()
export class SystemClock extends Clock {
  override now(): Date {
    return new Date();
  }
}
