import type { Fault } from '../../platform/errors/problem.js';

/** Faults that one request reports. */
const MAX_FAULTS = 20;
/** Helpers that leave out what is missing, or compare it. */
const LENIENT: readonly string[] = ['any', 'all', 'list', 'commas', 'eq', 'gt', 'includes', 'count_of'];
/** Helpers that return nothing for a value of another type, and what they take. */
const SUITABLE: Readonly<Record<string, string>> = {
  date: 'a date (YYYY-MM-DD)',
  days_until: 'a date (YYYY-MM-DD)',
  days_since: 'a date (YYYY-MM-DD)',
  instant: 'an instant (ISO 8601)',
  clock: 'a time of day (HH:mm)',
  money: 'a whole number of the smallest unit',
  bytes: 'a number',
  plural: 'a number',
  http_url: 'an http or https address',
};

/** Of these, those that return such a value unchanged. */
const RETURNS_UNSUITABLE: readonly string[] = ['date', 'instant', 'clock'];

/** A value that a helper got. */
interface Argument {
  pointer: string | null;
  value: unknown;
}

/**
 * Compares the data of a message with what its template does with it: a field that the template prints must
 * exist, a list must be a list. `null` is a value: it prints nothing. Fields that only a condition reads may
 * be missing.
 */
export class DataCheck {
  private readonly found = new Map<string, string>();
  private isTesting = false;

  /** One for each field, at most 20. */
  get faults(): Fault[] {
    return [...this.found].slice(0, MAX_FAULTS).map(([pointer, detail]) => ({ pointer, detail }));
  }

  /** Evaluates a condition, whose fields may be missing. */
  unchecked(evaluate: () => unknown): unknown {
    const before = this.isTesting;
    this.isTesting = true;
    try {
      return evaluate();
    } finally {
      this.isTesting = before;
    }
  }

  printed(pointer: string | null, value: unknown): void {
    if (value === undefined) this.report(pointer, 'is missing: the template prints it');
    else if (typeof value === 'object' && value !== null)
      this.report(pointer, 'must be a text, a number, or true or false: the template prints it');
  }

  listed(pointer: string | null, value: unknown): void {
    if (value === undefined) this.report(pointer, 'is missing: the template lists it');
    else if (typeof value !== 'object') this.report(pointer, 'must be a list: the template lists it');
  }

  passed(helper: string, args: readonly Argument[], result: unknown): void {
    if (LENIENT.includes(helper)) return;
    for (const { pointer, value } of args) {
      if (value === undefined) this.report(pointer, `is missing: the template uses it with {{${helper}}}`);
    }
    const [first] = args;
    const suitable = Object.hasOwn(SUITABLE, helper) ? SUITABLE[helper] : undefined;
    if (suitable === undefined || first === undefined || isEmpty(first.value)) return;
    const isUnchanged = RETURNS_UNSUITABLE.includes(helper) && result === first.value;
    if (isEmpty(result) || isUnchanged) this.report(first.pointer, `must be ${suitable}`);
  }

  private report(pointer: string | null, detail: string): void {
    // Other values are not the caller's.
    if (this.isTesting || !pointer?.startsWith('/data/') || this.found.has(pointer)) return;
    this.found.set(pointer, detail);
  }
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}
