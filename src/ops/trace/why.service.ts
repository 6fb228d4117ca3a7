import { Inject, Injectable } from '@nestjs/common';
import { SCHEDULED_JOBS, type ScheduledJob } from '../../contracts/jobs.js';
import { BACKUP_JOBS } from '../../contracts/kind-lists.js';
import type { Locale } from '../../contracts/locales.js';
import type { Reason, SettingIds } from '../../contracts/reasons.js';
import { WatchedKinds } from '../../notifications/alerts/watched.js';
import { Chains } from '../../notifications/trace/chains.js';
import { StepWriter } from '../../notifications/trace/step-writer.js';
import { TracedNotifications } from '../../notifications/trace/traced-notifications.js';
import type { TraceStep } from '../../notifications/trace/trace-step.dto.js';
import { NotificationViews } from '../../notifications/views/notification-views.js';
import { localeOf, type ReaderRow, readerSql } from '../../notifications/views/reader.js';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { notFound } from '../../platform/errors/problem.js';
import { TenantRuns, type NamedRun } from '../../runs/tenant-runs.js';
import { Scheduler } from '../../scheduler/scheduler.service.js';
import { tenantToday } from '../../tenants/tenant-today.js';
import { Wording } from '../../wording/wording.js';
import { Absences, type TenantCase } from './absence.js';
import { FindFacts, type FoundFact } from './find-facts.js';
import { MAX_FACTS } from './find-facts.sql.js';
import { type FoundRecipient, Recipients } from './recipients.js';
import { type ChannelOutcome, decides } from './verdict.js';
import type { Why, WhyFact, WhyQuery } from './why.dto.js';

/** Runs of each job that an answer lists. */
const MAX_RUNS = 3;

/** Who reads the answer. */
export interface WhyReader {
  /** A user of the tenant, whose language is used; null: the tenant's. */
  user_id: string | null;
  /** Instead of the reader's own. */
  locale?: Locale;
}

interface Asked {
  recipient: FoundRecipient;
  tenant: TenantCase;
  reader: ReaderRow;
}

/** Explains why somebody was notified of something, or not: every step, up to the one that decided. */
@Injectable()
export class Whys {
  constructor(
    private readonly database: Database,
    private readonly recipients: Recipients,
    private readonly facts: FindFacts,
    private readonly absences: Absences,
    private readonly notifications: TracedNotifications,
    private readonly chains: Chains,
    private readonly views: NotificationViews,
    private readonly wording: Wording,
    private readonly watched: WatchedKinds,
    private readonly runs: TenantRuns,
    private readonly scheduler: Scheduler,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** @throws Problem validation_failed; not_found for an unknown recipient. */
  async explain(
    tenantId: string,
    { user, address, fact }: Omit<WhyQuery, 'tenant'>,
    { user_id, locale }: WhyReader,
  ): Promise<Why> {
    const { jobs } = await this.scheduler.status(tenantId);
    const next = new Map(jobs.flatMap((job) => (job.next === null ? [] : [[job.job, job.next] as const])));
    return this.database.tenant(tenantId, async (tx) => {
      const asked = {
        ...(user === undefined ? {} : { user }),
        ...(address === undefined ? {} : { address }),
      };
      const recipient = await this.recipients.find(tx, asked);
      const row = await tx.one<ReaderRow>(readerSql('$1::uuid', '$2::uuid'), [tenantId, user_id]);
      if (row === null) throw notFound();
      const reader = { ...row, reader_locale: locale ?? row.reader_locale };
      const runs = byJob(await this.runs.latest(tx, SCHEDULED_JOBS, MAX_RUNS));
      const times = new Map([...next].map(([job, { instant }]) => [job, instant]));
      const today = await tenantToday(tx, this.clock.now());
      const tenant = { ...today, time_zone: row.time_zone, runs, next: times };
      const found = await this.facts.find(tx, fact ?? null, recipient.recipients);
      const facts: WhyFact[] = [];
      for (const one of found.slice(0, MAX_FACTS))
        facts.push(await this.fact(tx, one, { recipient, tenant, reader }));
      const needs = this.watched
        .all()
        .map((watched) => ({ kind: watched.kind, stages: watched.stages(tenant.settings) }));
      const shown = found.length === 0 ? SCHEDULED_JOBS.filter(finds) : jobsOf(this.absences, found);
      return {
        recipient: {
          ...{ user_id: recipient.user_id, name: recipient.name, role: recipient.role },
          recipients: recipient.recipients,
        },
        facts,
        more: found.length > MAX_FACTS,
        checks: shown.map((job) => ({ job, next: next.get(job) ?? null, runs: [...(runs.get(job) ?? [])] })),
        needs,
      };
    });
  }

  private async fact(tx: TenantTransaction, found: FoundFact, asked: Asked): Promise<WhyFact> {
    const { item, alert } = found;
    const { recipient, tenant, reader } = asked;
    const write = this.writer(reader, {
      ...{ user_id: recipient.user_id, endpoint_id: recipient.endpoint_id, tenant: reader.tenant_slug },
      ...{ alert_id: alert?.id ?? null, item_type: item?.type ?? null, item_id: item?.id ?? null },
    });
    const row = await this.notifications.ofRecipient(tx, {
      ...{ notification_id: found.notification_id, alert_id: alert?.id ?? null },
      recipients: recipient.recipients,
    });
    const own = await this.views.ownWords(tx, [reader]);
    const title =
      row !== null
        ? this.views.titleOf({ ...row, ...reader }, own)
        : alert !== null
          ? this.views.ofAlert({ ...alert, ...reader }, own).title
          : (item?.title ?? '');
    const about = {
      title,
      kind: row?.kind ?? alert?.kind ?? this.absences.watchedOf(item?.source_type)?.kind ?? null,
      item: item === null ? null : { type: item.type, id: item.id },
      alert_id: alert?.id ?? null,
    };
    if (row === null) {
      const steps = await this.absences.steps(tx, found, recipient, tenant, write);
      return { ...about, notification_id: null, ...decides(steps, []), steps, channels: [], again: null };
    }
    const writer = this.writer(reader, { ...this.chains.idsOf(row), tenant: reader.tenant_slug });
    const { steps, channels, ...chain } = await this.notifications.chain(tx, row, writer);
    const held = tenant.suspended ? channels.map((one) => heldBack(one, writer)) : channels;
    const announced = this.chains.again(chain.alert, tenant, writer);
    // Its date has changed since: the item has another fact now.
    const isOver = announced?.reason === 'fact_gone' && item !== null && item.ended_at === null;
    const again = isOver ? (await this.absences.notAlerted(tx, item, tenant, writer)).at(-1) : announced;
    const inbox = row.user_id === null ? null : writer.step('in_inbox', { at: row.created_at });
    return {
      ...{ ...about, notification_id: row.id },
      ...decides(steps, held, inbox),
      ...{ steps, channels: held, again: again ?? null },
    };
  }

  private writer({ reader_locale }: ReaderRow, ids: SettingIds): StepWriter {
    const locale = localeOf(reader_locale);
    return new StepWriter((reason: Reason) => this.wording.reasonText(reason, locale), ids, true);
  }
}

/** A suspended tenant sends nothing. */
function heldBack(channel: ChannelOutcome, write: StepWriter): ChannelOutcome {
  if (channel.outcome !== 'waits') return channel;
  const step: TraceStep = write.step('tenant_suspended');
  const { reason, text } = step;
  return Object.assign({}, channel, { reason, text, until: null, steps: [...channel.steps, step] });
}

function byJob(runs: readonly NamedRun[]): ReadonlyMap<ScheduledJob, readonly NamedRun[]> {
  return new Map(SCHEDULED_JOBS.map((job) => [job, runs.filter((run) => run.job === job)]));
}

/** The jobs that find facts. */
function finds(job: ScheduledJob): boolean {
  return job === 'check-notifications' || job === 'process-reminders' || BACKUP_JOBS.includes(job);
}

function jobsOf(absences: Absences, found: readonly FoundFact[]): readonly ScheduledJob[] {
  const jobs = new Set(
    found.flatMap(({ item, alert }) => (item === null && alert === null ? [] : absences.jobsOf(item, alert))),
  );
  return SCHEDULED_JOBS.filter((job) => jobs.has(job));
}
