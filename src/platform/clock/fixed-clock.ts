import { Clock } from './clock.js';

/** A clock for tests: it stands still until a test moves it, forwards or backwards. */
export class FixedClock extends Clock {
  private instant: number;

  /** @param start an instant, or its ISO text with an offset (`2026-03-29T01:00:00Z`). */
  constructor(start: Date | string) {
    super();
    this.instant = instantOf(start);
  }

  protected override read(): number {
    return this.instant;
  }

  set(to: Date | string): void {
    this.instant = instantOf(to);
  }

  /** @param ms milliseconds; negative values turn the clock back. */
  advance(ms: number): void {
    this.instant += ms;
  }
}

function instantOf(value: Date | string): number {
  // Without an offset the text would mean the machine's zone, so the test would differ between machines.
  if (typeof value === 'string' && !/(?:Z|[+-]\d\d:\d\d)$/.test(value)) {
    throw new RangeError(`"${value}" names no offset from UTC`);
  }
  const instant = new Date(value).getTime();
  if (Number.isNaN(instant)) throw new RangeError(`"${String(value)}" is not an instant`);
  return instant;
}
