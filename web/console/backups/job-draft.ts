import type { components } from '../../client/api.js';
import type { RequestError } from '../../client/rest.js';
import type { BackupJobWords } from '../../words/console/backup-jobs.js';

type Schemas = components['schemas'];
type Job = Schemas['BackupJob'];
export type NewJob = Schemas['NewBackupJob'];
export type JobPatch = Schemas['BackupJobPatch'];

/** What was typed about an expected backup. Texts are as typed. */
export interface JobDraft {
  agent_id: string;
  database_name: string;
  company_name: string;
  city: string;
  neighborhood: string;
  expected_time: string;
  /** ISO: Monday is 1. */
  days_of_week: readonly number[];
  /** Null: the field is empty. */
  grace_minutes: number | null;
}
export type JobField = keyof JobDraft;

/** The longest names, in characters. */
export const MAX_NAME = 100;
/** A week, in minutes. */
export const MAX_GRACE = 10_080;
const AGENT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;

/** A new job: every day, with the grace period that the server has too. */
export const NEW_JOB: JobDraft = {
  agent_id: '',
  database_name: '',
  company_name: '',
  city: '',
  neighborhood: '',
  expected_time: '',
  days_of_week: [1, 2, 3, 4, 5, 6, 7],
  grace_minutes: 120,
};

export function draftOf(job: Job): JobDraft {
  const { agent_id, database_name, company_name, city, neighborhood } = job;
  const { expected_time, days_of_week, grace_minutes } = job;
  return {
    agent_id,
    database_name,
    company_name,
    city,
    neighborhood: neighborhood ?? '',
    expected_time,
    days_of_week,
    grace_minutes,
  };
}

/** The rules of the fields that are not valid, as far as can be seen before it is sent. */
export function faultsIn(draft: JobDraft, { rules }: BackupJobWords): Map<JobField, string> {
  const { agent_id, expected_time, days_of_week, grace_minutes: grace } = draft;
  const isWrong: Readonly<Record<JobField, boolean>> = {
    agent_id: !AGENT_ID.test(agent_id),
    database_name: !isName(draft.database_name),
    company_name: !isName(draft.company_name),
    city: !isName(draft.city),
    neighborhood: draft.neighborhood.trim() !== '' && !isName(draft.neighborhood),
    expected_time: !TIME.test(expected_time),
    days_of_week: days_of_week.length === 0,
    grace_minutes: grace === null || !Number.isInteger(grace) || grace < 0 || grace > MAX_GRACE,
  };
  const fields = Object.keys(isWrong) as JobField[];
  return new Map(fields.filter((field) => isWrong[field]).map((field) => [field, rules[field]]));
}

/** The rule of a field that the server refused; null: a job has no such field. */
export function refusedRule(field: string, { code }: RequestError, words: BackupJobWords): string | null {
  if (code === 'conflict' && field === 'database_name') return words.taken;
  return field in NEW_JOB ? words.rules[field as JobField] : null;
}

/** The body that creates a job. */
export function newJob(draft: JobDraft): NewJob {
  const { agent_id, database_name } = draft;
  return { agent_id, database_name: database_name.trim(), ...changeable(draft) };
}

/** The body that changes a job: only the fields that differ, so that a colleague's change of another one stays. */
export function patchOf(job: Job, draft: JobDraft): JobPatch {
  const before: Readonly<Record<string, unknown>> = changeable(draftOf(job));
  const differs = ([field, value]: [string, unknown]) =>
    JSON.stringify(value) !== JSON.stringify(before[field]);
  return Object.fromEntries(Object.entries(changeable(draft)).filter(differs));
}

function changeable({ company_name, city, neighborhood, ...draft }: JobDraft) {
  return {
    company_name: company_name.trim(),
    city: city.trim(),
    neighborhood: neighborhood.trim() === '' ? null : neighborhood.trim(),
    expected_time: draft.expected_time,
    days_of_week: draft.days_of_week.toSorted((one, other) => one - other),
    grace_minutes: draft.grace_minutes,
  };
}

function isName(text: string): boolean {
  const { length } = Array.from(text.trim());
  return length > 0 && length <= MAX_NAME;
}
