import type { Channel } from './channels.js';
import type { ScheduledJob } from './jobs.js';

/** The declaration of a notification kind: everything except its texts and the type of its `data`. */
export interface KindDeclaration {
  /** A user may turn it off; the others answer a user's own action. */
  optional: boolean;
  /** One message may carry several of them. */
  bundled: boolean;
  /**
   * It bypasses operating hours, quiet hours and limits: its recipient is waiting for it and it expires, or it warns of
   * a change of their credentials that somebody else may have made.
   */
  urgent: boolean;
  /** Its channels, each with its default. It never uses other channels. */
  channels: Partial<Record<Channel, 'on' | 'off'>>;
  /** Its mail carries a one-time link: `data` has `link_id` and `expires_at`. */
  link?: true;
  /** A person or another program wrote its title and body: they are in its `data`, and its author is shown. */
  written?: true;
  /** Its item, for links: a name for URLs, and the field of `data` with the id. */
  item?: { type: string; id: string };
  /** The jobs whose runs announce it; none: a request does. */
  found_by?: readonly ScheduledJob[];
}

/**
 * The kinds of notifications. The texts of a kind are its files in `templates/<locale>/<kind>.*`; its module declares
 * the type of its `data` by augmenting `NotificationData`. Literal strings, because they are stored.
 */
export const KINDS = {
  deadline_near: {
    optional: true,
    bundled: true,
    urgent: false,
    channels: { email: 'on', sms: 'off', push: 'on', webhook: 'on' },
    item: { type: 'deadline', id: 'deadline_id' },
    found_by: ['check-notifications'],
  },
  documents_missing: {
    optional: true,
    bundled: true,
    urgent: false,
    channels: { email: 'on', sms: 'off', push: 'on', webhook: 'on' },
    item: { type: 'document', id: 'document_id' },
    found_by: ['check-notifications'],
  },
  tasks_overdue: {
    optional: true,
    bundled: true,
    urgent: false,
    channels: { email: 'on', sms: 'off', push: 'on', webhook: 'on' },
    item: { type: 'task', id: 'task_id' },
    found_by: ['check-notifications'],
  },
  weekly_summary: {
    optional: true,
    bundled: false,
    urgent: false,
    channels: { email: 'on', sms: 'off', push: 'on' },
    found_by: ['weekly-summary'],
  },
  welcome: { optional: false, bundled: false, urgent: true, channels: { email: 'on' }, link: true },
  password_reset: { optional: false, bundled: false, urgent: true, channels: { email: 'on' }, link: true },
  password_changed: { optional: false, bundled: false, urgent: true, channels: { email: 'on' } },
  email_changed: { optional: false, bundled: false, urgent: true, channels: { email: 'on' } },
  test: { optional: false, bundled: false, urgent: false, channels: { email: 'on' } },
  event: {
    optional: true,
    bundled: true,
    urgent: false,
    channels: { email: 'on', sms: 'off', push: 'on', webhook: 'on' },
    written: true,
  },
  message: {
    optional: true,
    bundled: false,
    urgent: false,
    channels: { email: 'on', sms: 'off', push: 'on' },
    written: true,
  },
  reminder: {
    optional: true,
    bundled: true,
    urgent: false,
    channels: { email: 'on', sms: 'off', push: 'on' },
    item: { type: 'ticket', id: 'ticket_id' },
    found_by: ['process-reminders'],
  },
  backup_alert: {
    optional: true,
    bundled: true,
    urgent: false,
    channels: { email: 'on', sms: 'off', push: 'on', webhook: 'on' },
    item: { type: 'backup', id: 'job_id' },
    found_by: ['scan-backups', 'check-backups'],
  },
  backup_recovered: {
    optional: true,
    bundled: true,
    urgent: false,
    channels: { email: 'on', sms: 'off', push: 'on', webhook: 'on' },
    item: { type: 'backup', id: 'job_id' },
    found_by: ['scan-backups', 'check-backups'],
  },
  backup_damaged: {
    optional: true,
    bundled: true,
    urgent: false,
    channels: { email: 'on', sms: 'off', push: 'on', webhook: 'on' },
    item: { type: 'backup', id: 'job_id' },
    found_by: ['scan-backups', 'check-backups'],
  },
  backup_report_rejected: {
    optional: true,
    bundled: true,
    urgent: false,
    channels: { email: 'on', sms: 'off', push: 'on', webhook: 'on' },
    found_by: ['scan-backups', 'check-backups'],
  },
  backup_agent_silent: {
    optional: true,
    bundled: true,
    urgent: false,
    channels: { email: 'on', sms: 'off', push: 'on', webhook: 'on' },
    found_by: ['scan-backups', 'check-backups'],
  },
  backup_agent_back: {
    optional: true,
    bundled: true,
    urgent: false,
    channels: { email: 'on', sms: 'off', push: 'on', webhook: 'on' },
    found_by: ['scan-backups', 'check-backups'],
  },
  webhook_failing: {
    optional: true,
    bundled: false,
    urgent: false,
    channels: { email: 'on', sms: 'off', push: 'on' },
  },
  webhook_disabled: {
    optional: true,
    bundled: false,
    urgent: false,
    channels: { email: 'on', sms: 'off', push: 'on' },
  },
  // Bundled: when a firm's mail domain dies, all its addresses bounce at once.
  address_stopped: {
    optional: true,
    bundled: true,
    urgent: false,
    channels: { email: 'on', sms: 'off', push: 'on' },
  },
} as const satisfies Record<string, KindDeclaration>;

export type NotificationKind = keyof typeof KINDS;

/**
 * `data` of a notification, by kind: the facts for its texts and for the inbox. Absolute facts only: civil dates
 * (YYYY-MM-DD), instants (ISO 8601), codes, ids, and what people wrote. Never our own texts, nor anything that is only
 * true today. Each module adds its kinds by `declare module`.
 */
export interface NotificationData {
  /** An event of another program by `POST events`, in its own words; `kind` is its own name for it. */
  event: { kind: string; title: string; body: string };
}
