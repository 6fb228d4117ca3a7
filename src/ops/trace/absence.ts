import { Inject, Injectable } from '@nestjs/common';
import { BACKUP_JOBS, declarationOf, WEBHOOK_KINDS } from '../../contracts/kind-lists.js';
import type { ScheduledJob } from '../../contracts/jobs.js';
import type { Reason } from '../../contracts/reasons.js';
import { Outbox } from '../../delivery/outbox.js';
import { WatchedKinds, type WatchedKind } from '../../notifications/alerts/watched.js';
import { alertRecipientsSql, responsibleOrAdminsSql } from '../../notifications/audience.js';
import {
  AlertSteps,
  startOf,
  type TenantRules,
  type TracedAlert,
} from '../../notifications/trace/alert-steps.js';
import type { StepWriter } from '../../notifications/trace/step-writer.js';
import type { TraceStep } from '../../notifications/trace/trace-step.dto.js';
import { addDays } from '../../platform/clock/civil-time.js';
import { CONFIG, type Config } from '../../platform/config/config.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { type NamedRun, TenantRuns } from '../../runs/tenant-runs.js';
import type { FoundFact } from './find-facts.js';
import type { Item } from './find-facts.sql.js';
import type { FoundRecipient } from './recipients.js';

/** The present state of the tenant, on which the explanation depends. */
export interface TenantCase extends TenantRules {
  /** Civil date in the tenant's zone. */
  today: string;
  suspended: boolean;
  /** The latest runs, by job, newest first, and when each job runs next. */
  runs: ReadonlyMap<ScheduledJob, readonly NamedRun[]>;
  next: ReadonlyMap<ScheduledJob, Date>;
}

/** Explains why no notification was created, with the statements that a check uses to decide it. */
@Injectable()
export class Absences {
  private readonly fallback: string | null;

  constructor(
    private readonly watched: WatchedKinds,
    private readonly alerts: AlertSteps,
    private readonly runs: TenantRuns,
    @Inject(CONFIG) { adminEmailRecipient }: Config,
  ) {
    this.fallback =
      adminEmailRecipient === null ? null : (Outbox.address('email', adminEmailRecipient)?.address ?? null);
  }

  /** The steps up to the one where it ended. */
  async steps(
    tx: TenantTransaction,
    { item, alert, notification_id }: FoundFact,
    recipient: FoundRecipient,
    tenant: TenantCase,
    write: StepWriter,
  ): Promise<TraceStep[]> {
    if (tenant.suspended) return [write.step('tenant_suspended')];
    if (alert !== null && alert.gone_at === null) {
      const at = alert.first_seen_at;
      const jobs = this.jobsOf(item, alert);
      const run = jobs.length === 0 ? null : await this.runs.at(tx, jobs, at);
      const found =
        jobs.length === 0
          ? [write.step('written', { at })]
          : [write.step('checked', { at: run?.started_at ?? at, run }), write.step('fact_holds', { at })];
      return [
        ...found,
        write.step('opened', { at, count: alert.occurrences }),
        await this.notRecipient(tx, item, alert, recipient, tenant, write),
      ];
    }
    // A message or a note to somebody else.
    if (item === null && alert === null && notification_id !== null)
      return [write.step('written'), write.step('not_addressed')];
    if (item === null) return [write.step('fact_gone', { at: alert?.gone_at ?? null })];
    return this.notAlerted(tx, item, tenant, write);
  }

  /** Why an item has no open alert: the state of its fact, and of the checks that would find it. */
  async notAlerted(
    tx: TenantTransaction,
    item: Item,
    tenant: TenantCase,
    write: StepWriter,
  ): Promise<TraceStep[]> {
    const { run, next } = latest(this.jobsOf(item, null), tenant);
    const checked = write.step('checked', { at: run?.started_at ?? null, run });
    if (item.ended_at !== null) return [checked, write.step('item_ended', { at: item.ended_at })];
    const watched = this.watchedOf(item.source_type);
    if (watched === undefined || item.due_on === null)
      return [write.step('nothing_recorded', { run, until: next })];
    if (!(await this.holds(tx, watched, item.id, tenant))) {
      const first = Math.max(...watched.stages(tenant.settings));
      const until = startOf(addDays(item.due_on, -first), tenant.time_zone);
      return [checked, write.step('not_due_yet', { until })];
    }
    const failed = run?.state === 'failed';
    const details = { run, detail: run?.error ?? null, until: next };
    return [write.step(failed ? 'check_failed' : 'not_checked_yet', details), write.step('fact_holds')];
  }

  /** Why the alert was not announced to this recipient. */
  private async notRecipient(
    tx: TenantTransaction,
    item: Item | null,
    alert: TracedAlert,
    recipient: FoundRecipient,
    tenant: TenantCase,
    write: StepWriter,
  ): Promise<TraceStep> {
    const { endpoint_id } = recipient;
    const no =
      endpoint_id === null
        ? await this.notChosen(tx, item, alert, recipient)
        : await this.notWanted(tx, alert, endpoint_id);
    if (no !== null) return write.step(no);
    const key = `${alert.dedupe_key}:${alert.stage}`;
    const sent = await tx.one<{ id: string; created_at: Date }>(EARLIER, [
      tx.tenant_id,
      recipient.recipients,
      key,
    ]);
    if (sent !== null)
      return write.step('stage_sent', { at: sent.created_at, ids: { notification_id: sent.id } });
    const again = this.alerts.notAgain(alert, tenant, write);
    return again.reason === 'already_notified'
      ? write.step('recipient_later', { until: again.until })
      : again;
  }

  /** Why a person or an address is not a recipient of the alert; null: it is one now. */
  private async notChosen(
    tx: TenantTransaction,
    item: Item | null,
    { id, kind }: TracedAlert,
    { user_id, role, address }: FoundRecipient,
  ): Promise<Reason | null> {
    if (kind === 'event') {
      const other = await tx.one<{ audience: string }>(AUDIENCE, [tx.tenant_id, id]);
      if (other?.audience === 'addressed') return 'not_addressed';
      return role === 'admin' ? null : 'not_alert_recipient';
    }
    if (this.watchedOf(item?.source_type) === undefined) {
      const row = await tx.one(ALERT_RECIPIENT, [tx.tenant_id, this.fallback, user_id, address]);
      return row === null ? 'not_alert_recipient' : null;
    }
    const responsible = item?.responsible_id ?? null;
    const row = await tx.one(RESPONSIBLE, [tx.tenant_id, responsible, user_id]);
    if (row !== null) return null;
    return responsible === null ? 'not_admin' : 'not_responsible';
  }

  /** Why an endpoint does not get the alert; null: it does now. */
  private async notWanted(tx: TenantTransaction, { kind }: TracedAlert, id: string): Promise<Reason | null> {
    const endpoint = await tx.one<{ kinds: string[] | null }>(ENDPOINT, [tx.tenant_id, id]);
    if (endpoint === null) return 'endpoint_deleted';
    const suits = WEBHOOK_KINDS.some((each) => each === kind);
    return suits && (endpoint.kinds?.includes(kind) ?? true) ? null : 'endpoint_kinds';
  }

  /** Whether the check would find it now, by the check's own statement. */
  private async holds(
    tx: TenantTransaction,
    watched: WatchedKind,
    id: string,
    { today, settings }: TenantCase,
  ): Promise<boolean> {
    const facts = watched.factsSql({ tenant_id: '$1::uuid', today: '$2::date', stages: '$3::int[]' });
    const row = await tx.one(`SELECT f.stage FROM (${facts}) f WHERE f.source_id = $4::uuid`, [
      ...[tx.tenant_id, today, watched.stages(settings), id],
    ]);
    return row !== null;
  }

  /** The jobs that would find the fact. */
  jobsOf(item: Item | null, alert: TracedAlert | null): readonly ScheduledJob[] {
    if (alert !== null) return declarationOf(alert.kind)?.found_by ?? [];
    const watched = this.watchedOf(item?.source_type);
    if (watched !== undefined) return declarationOf(watched.kind)?.found_by ?? [];
    return item?.source_type === 'ticket' ? ['process-reminders'] : BACKUP_JOBS;
  }

  watchedOf(sourceType: string | undefined): WatchedKind | undefined {
    return this.watched.all().find(({ source_type }) => source_type === sourceType);
  }
}

/** The latest run of these jobs, and when one runs next. */
function latest(
  jobs: readonly ScheduledJob[],
  { runs, next }: TenantCase,
): { run: NamedRun | null; next: Date | null } {
  const all = jobs.flatMap((job) => runs.get(job) ?? []);
  const [run = null] = all.sort((one, other) => other.due_at.getTime() - one.due_at.getTime());
  const times = jobs.flatMap((job) => next.get(job)?.getTime() ?? []);
  return { run, next: times.length === 0 ? null : new Date(Math.min(...times)) };
}

/** $1 tenant id, $2 recipients, $3 key */
const EARLIER = `
  SELECT id, created_at FROM notifications
  WHERE tenant_id = $1 AND recipient = ANY ($2::text[]) AND dedupe_key = $3 LIMIT 1`;

/** Why others were notified of an event. $1 tenant id, $2 alert id. Index: notifications_alert */
const AUDIENCE = `
  SELECT audience FROM notifications WHERE tenant_id = $1 AND alert_id = $2 AND user_id IS NOT NULL LIMIT 1`;

/** $1 tenant id, $2 the responsible user of the item, or null, $3 user id */
const RESPONSIBLE = `
  WITH item AS (SELECT $2::uuid AS responsible_id)
  SELECT user_id FROM (${responsibleOrAdminsSql('item', '$1::uuid')}) r WHERE user_id = $3::uuid LIMIT 1`;

/** $1 tenant id, $2 the installation's address, or null, $3 user id, $4 address in lower case */
const ALERT_RECIPIENT = `
  WITH ${alertRecipientsSql('$1::uuid', '$2::text')}
  SELECT 1 AS found FROM recipients WHERE user_id = $3::uuid OR lower(address) = $4::text LIMIT 1`;

/** $1 tenant id, $2 endpoint id */
const ENDPOINT = `SELECT kinds FROM webhook_endpoints WHERE tenant_id = $1 AND id = $2`;
