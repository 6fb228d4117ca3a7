/**
 * What people are told about. A kind is also the name of its mail template (`templates/<locale>/<kind>.*`).
 * Written strings: they are stored.
 */
export const NOTIFICATION_KINDS = [
  'deadline_near',
  'documents_missing',
  'tasks_overdue',
  'weekly_summary',
  'welcome',
  'password_reset',
  'test',
  'event',
  'message',
] as const;
export type NotificationKind = (typeof NOTIFICATION_KINDS)[number];

/** The kinds that a user may turn off; the others are answers to something they did. */
export const OPTIONAL_KINDS = [
  'deadline_near',
  'documents_missing',
  'tasks_overdue',
  'weekly_summary',
  'event',
  'message',
] as const satisfies readonly NotificationKind[];

export const LOCALES = ['fr', 'en'] as const;
export type Locale = (typeof LOCALES)[number];

export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

export const CHANNELS = ['email'] as const;
export type Channel = (typeof CHANNELS)[number];

/** A line of the weekly summary. Dates are civil dates (YYYY-MM-DD) in the tenant's zone. */
export interface SummaryLine {
  title: string;
  client_name: string | null;
  due_on: string;
  /** Days from today; negative once it is late. */
  days_left: number;
}

/** `data` of a notification, by kind: what its template and the inbox show. Dates are civil (YYYY-MM-DD). */
export interface NotificationData {
  deadline_near: {
    deadline_id: string;
    title: string;
    category: string | null;
    client_name: string | null;
    due_on: string;
    /** Negative once the deadline has passed. */
    days_left: number;
  };
  documents_missing: {
    document_id: string;
    title: string;
    client_name: string | null;
    due_on: string;
    days_late: number;
  };
  tasks_overdue: {
    task_id: string;
    title: string;
    client_name: string | null;
    due_on: string;
    days_late: number;
  };
  weekly_summary: {
    /** The Monday it was made for. */
    week_of: string;
    deadlines: SummaryLine[];
    documents: SummaryLine[];
    tasks: SummaryLine[];
    /** All there are; the lists above are cut at 20. */
    totals: { deadlines: number; documents: number; tasks: number };
  };
  /** The link itself is made when the mail is rendered: a secret is never stored. */
  welcome: { link_id: string; expires_at: string };
  password_reset: { link_id: string; expires_at: string };
  test: { requested_by: string | null };
  /** From `POST events`, `kind` is the event's own, as the caller names it. */
  event: Record<string, unknown>;
  /** What somebody wrote: the kind as they name it, and what else they gave. */
  message: { kind: string | null; data: Record<string, unknown> };
}
