import type { Days } from './due-item-api.js';

export interface Day {
  /** Civil date. */
  date: string;
  isInMonth: boolean;
  open: number;
  ended: number;
}

const DAY_MS = 86_400_000;

export function shiftDate(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** @param month `2026-04` */
export function shiftMonth(month: string, months: number): string {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number - 1 + months, 1)).toISOString().slice(0, 7);
}

/** The month of an address; the current month if it is not valid. */
export function monthOf(text: string | null, today: string): string {
  return text !== null && /^(19|20|21)\d\d-(0[1-9]|1[0-2])$/.test(text) ? text : today.slice(0, 7);
}

/** The first and the last day of the weeks of a month, Monday to Sunday. */
export function rangeOf(month: string): { first: string; last: string } {
  const start = `${month}-01`;
  const end = shiftDate(`${shiftMonth(month, 1)}-01`, -1);
  // 0 is Monday.
  const weekday = (date: string) => (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7;
  return { first: shiftDate(start, -weekday(start)), last: shiftDate(end, 6 - weekday(end)) };
}

/** The weeks of a month, with the number of items of each day. */
export function weeksOf(month: string, days: Days): Day[][] {
  const counts = new Map(days.map((day) => [day.due_on, day]));
  const { first, last } = rangeOf(month);
  const weeks: Day[][] = [];
  for (let monday = first; monday <= last; monday = shiftDate(monday, 7)) {
    weeks.push(
      Array.from({ length: 7 }, (_none, at) => {
        const date = shiftDate(monday, at);
        const { open = 0, ended = 0 } = counts.get(date) ?? {};
        return { date, isInMonth: date.startsWith(month), open, ended };
      }),
    );
  }
  return weeks;
}

/** Loads the counts of a month. Keeps those of the month before until they arrive. */
export class MonthState {
  days: Days = [];
  phase: 'loading' | 'list' | 'failed' = 'loading';
  fault: unknown = null;
  private key = '';
  /** The key of the last request, and the key of `days`. */
  private asked = '';
  private loaded = '';
  private loading: AbortController | null = null;

  constructor(private readonly onChange: () => void) {}

  /** Loads unless `key` is the one that is shown. @param load requests the days of the month */
  show(key: string, load: (signal: AbortSignal) => Promise<{ data: Days }>): void {
    if (key === this.key) return;
    this.key = key;
    this.asked = key;
    void this.load(key, load);
  }

  /** Whether `days` belong to the last request; otherwise they are of the previous month or filters. */
  get isCurrent(): boolean {
    return this.loaded === this.asked;
  }

  /** Makes the next `show` load again. */
  forget(): void {
    this.key = '';
  }

  stop(): void {
    this.loading?.abort();
  }

  private async load(key: string, load: (signal: AbortSignal) => Promise<{ data: Days }>): Promise<void> {
    this.loading?.abort();
    const { signal } = (this.loading = new AbortController());
    this.phase = 'loading';
    try {
      const { data } = await load(signal);
      if (signal.aborted) return;
      this.loaded = key;
      Object.assign(this, { days: data, phase: 'list', fault: null });
    } catch (error) {
      if (signal.aborted) return;
      Object.assign(this, { days: [], phase: 'failed', fault: error });
    }
    this.onChange();
  }
}
