import type { components } from '../../client/api.js';
import type { Tone } from '../../design/badge.js';

type Schemas = components['schemas'];
type Columns = Schemas['BackupBarColumns'];
export type Verdict = Columns['verdict'][number];
export type AlertState = NonNullable<Columns['alert_state'][number]>;

/** What a row means for people, the worst first. */
export const CONDITIONS = ['bad', 'doubtful', 'waiting', 'unknown', 'good'] as const;
export type Condition = (typeof CONDITIONS)[number];
/** The filter for what the first page counts: bad or doubtful. */
export const NOT_GOOD = 'not_good';

/** A row of the board. */
export interface BoardRow {
  /** Unique: the job's id, or agent and database. */
  key: string;
  jobId: string | null;
  agent: string;
  database: string;
  company: string;
  city: string;
  verdict: Verdict;
  condition: Condition;
  lastGoodAt: string | null;
  nextAt: string | null;
  sizePercent: number | null;
  alertState: AlertState | null;
  handledBy: string | null;
  /** One letter a result, the oldest first. */
  results: string;
  /** What the search compares, folded. */
  searched: string;
}

/** The letters of GET backups/board. */
const LETTER_TONES: Readonly<Record<string, Tone>> = {
  S: 'good',
  D: 'warning',
  F: 'critical',
  T: 'critical',
  H: 'critical',
  M: 'critical',
};
const DOUBTFUL = 'D';
const WAITING = '.';

export const CONDITION_TONES: Readonly<Record<Condition, Tone>> = {
  bad: 'critical',
  doubtful: 'warning',
  waiting: 'waiting',
  unknown: 'neutral',
  good: 'good',
};

/** One letter a result. */
function lettersOf(results: string): string[] {
  return Array.from(results);
}

export function tonesOf(results: string): Tone[] {
  return lettersOf(results).map((letter) => LETTER_TONES[letter] ?? 'waiting');
}

/** How many of these results are good. */
export function goodIn(results: string): number {
  return lettersOf(results).filter((letter) => LETTER_TONES[letter] === 'good').length;
}

/** Rows from the columns of an answer. */
export function rowsOf(columns: Columns): BoardRow[] {
  return columns.agent_id.map((agent, at) => {
    const jobId = columns.job_id[at] ?? null;
    const database = columns.database_name[at] ?? '';
    const company = columns.company_name[at] ?? '';
    const city = columns.city[at] ?? '';
    const verdict = columns.verdict[at] ?? 'unknown';
    const results = columns.results[at] ?? '';
    return {
      key: jobId ?? `${agent}/${database}`,
      jobId,
      agent,
      database,
      company,
      city,
      verdict,
      condition: conditionOf(verdict, results),
      lastGoodAt: columns.last_success_at[at] ?? null,
      nextAt: columns.next_expected_at[at] ?? null,
      sizePercent: columns.size_percent[at] ?? null,
      alertState: columns.alert_state[at] ?? null,
      handledBy: columns.acknowledged_by[at] ?? null,
      results,
      searched: folded([database, agent, company, city].join('\n')),
    };
  });
}

/** A failure stays a failure while the next file is awaited: the last verdict counts. */
function conditionOf(verdict: Verdict, results: string): Condition {
  if (verdict === 'unknown') return results.endsWith(WAITING) ? 'waiting' : 'unknown';
  if (verdict !== 'SUCCESS') return 'bad';
  const last = lettersOf(results).findLast((letter) => letter !== WAITING);
  if (last === DOUBTFUL) return 'doubtful';
  return results.endsWith(WAITING) ? 'waiting' : 'good';
}

/** Without case and accents, as the server searches. */
export function folded(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

/** Which rows to show: the parameters of the address. */
export interface BoardFilters {
  q?: string;
  /** A condition, a verdict, or `not_good`: bad or doubtful. */
  show?: string;
  sort?: string;
}

/** The rows of a filter, in its order; the worst first by default. */
export function chosen(rows: readonly BoardRow[], { q, show, sort }: BoardFilters): BoardRow[] {
  const text = q === undefined ? '' : folded(q);
  const found = rows.filter(
    (row) =>
      (text === '' || row.searched.includes(text)) &&
      (show === undefined || row.condition === show || row.verdict === show || isNotGood(row, show)),
  );
  const name = sort?.replace(/^-/, '') ?? 'verdict';
  const compare = ORDERS[name] ?? worstFirst;
  const sign = sort?.startsWith('-') === true ? -1 : 1;
  return found.sort((one, other) => sign * compare(one, other) || byName(one, other));
}

function isNotGood({ condition }: BoardRow, show: string): boolean {
  return show === NOT_GOOD && (condition === 'bad' || condition === 'doubtful');
}

/** How many rows have each condition. */
export function counted(rows: readonly BoardRow[]): Record<Condition, number> {
  const counts = { bad: 0, doubtful: 0, waiting: 0, unknown: 0, good: 0 };
  for (const { condition } of rows) counts[condition] += 1;
  return counts;
}

type Compare = (one: BoardRow, other: BoardRow) => number;

const byText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
const byName: Compare = (one, other) => byText(one.searched, other.searched) || byText(one.key, other.key);
/** A backup that never succeeded comes first. */
const byAge: Compare = (one, other) => byText(one.lastGoodAt ?? '', other.lastGoodAt ?? '');
const last = (value: number | null): number => value ?? Number.POSITIVE_INFINITY;

/** Unattended problems before attended ones; then by the last good backup, oldest first. */
const worstFirst: Compare = (one, other) => rankOf(one) - rankOf(other) || byAge(one, other);

function rankOf({ condition, alertState }: BoardRow): number {
  const isHandled = alertState !== null && alertState !== 'open';
  return CONDITIONS.indexOf(condition) * 2 + (isHandled ? 1 : 0);
}

const ORDERS: Readonly<Record<string, Compare>> = {
  verdict: worstFirst,
  age: byAge,
  name: byName,
  size: (one, other) => compareNumbers(last(one.sizePercent), last(other.sizePercent)),
  next: (one, other) => byText(one.nextAt ?? '~', other.nextAt ?? '~'),
};

function compareNumbers(one: number, other: number): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
