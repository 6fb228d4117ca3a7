import { Inject, Injectable } from '@nestjs/common';
import { AUDIENCES } from '../../contracts/audiences.js';
import { type Channel, CHANNELS, PEOPLE_CHANNELS } from '../../contracts/channels.js';
import { declarationOf } from '../../contracts/kind-lists.js';
import { KINDS, type NotificationKind } from '../../contracts/kinds.js';
import type { SettingIds } from '../../contracts/reasons.js';
import type { Severity } from '../../contracts/severities.js';
import { ChannelWaits } from '../../delivery/channel-health/channel-waits.js';
import type { DeliveryDecision } from '../../delivery/decisions.sql.js';
import { Outbox } from '../../delivery/outbox.js';
import type { StopReason } from '../../delivery/stopped-addresses/stopped-address.js';
import { Clock } from '../../platform/clock/clock.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { TenantRuns } from '../../runs/tenant-runs.js';
import { AlertSteps, type TenantRules, type TracedAlert } from './alert-steps.js';
import { offReason } from './choice-reasons.js';
import { deliverySteps, isWaiting, type SteppedDelivery, verdictOf } from './delivery-steps.js';
import type { StepWriter } from './step-writer.js';
import type { ChannelChain, TraceStep } from './trace-step.dto.js';

/** Kinds for which the sender chooses the channels. */
const CHANNEL_CHOSEN: readonly string[] = ['message', 'reminder', 'test'];

/** The notification that is explained. */
export interface ChainedNotification {
  id: string;
  kind: string;
  severity: Severity;
  audience: string;
  alert_id: string | null;
  user_id: string | null;
  recipient: string;
  created_at: Date;
  created_by: string | null;
  author_name: string | null;
  data: Record<string, unknown>;
}

/** A delivery with the columns that its steps need. */
export type ChainedDelivery = SteppedDelivery & { id: string; address: string };

/** Builds the chain of a notification: from the run that found its fact to the reports of providers. */
@Injectable()
export class Chains {
  constructor(
    private readonly outbox: Outbox,
    private readonly waits: ChannelWaits,
    private readonly runs: TenantRuns,
    private readonly alerts: AlertSteps,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** Ids for the paths of a notification's steps. */
  idsOf({ id, kind, alert_id, user_id, recipient, data }: ChainedNotification): SettingIds {
    const item = declarationOf(kind)?.item;
    const itemId = item === undefined ? undefined : data[item.id];
    return {
      notification_id: id,
      ...{ alert_id, user_id, item_type: item?.type ?? null },
      item_id: typeof itemId === 'string' ? itemId : null,
      endpoint_id: recipient.startsWith('webhook:') ? recipient.slice('webhook:'.length) : null,
    };
  }

  /** The steps before its channels: the run, the fact, the alert, and why this recipient. */
  async origin(
    tx: TenantTransaction,
    n: ChainedNotification,
    alert: TracedAlert | null,
    write: StepWriter,
  ): Promise<TraceStep[]> {
    const { created_at: at, kind } = n;
    const jobs = declarationOf(kind)?.found_by ?? [];
    const run = jobs.length === 0 ? null : await this.runs.at(tx, jobs, at);
    const isWritten = run === null && (jobs.length === 0 || n.created_by !== null);
    const audience = AUDIENCES.find((each) => each === n.audience);
    return [
      isWritten
        ? write.step('written', { at, by: n.author_name })
        : write.step('checked', { at: run?.started_at ?? at, run }),
      ...(alert === null || isWritten ? [] : [write.step('fact_holds', { at })]),
      ...(alert === null ? [] : [this.alerts.announced(alert, at, write)]),
      ...(audience === undefined ? [] : [write.step(audience, { at })]),
    ];
  }

  /** Its alert, for `origin` and `again`; null without one. */
  async alert(
    tx: TenantTransaction,
    { alert_id }: Pick<ChainedNotification, 'alert_id'>,
  ): Promise<TracedAlert | null> {
    return alert_id === null ? null : this.alerts.read(tx, alert_id);
  }

  /** Why its alert is not announced again now; null without an alert. */
  again(alert: TracedAlert | null, rules: TenantRules, write: StepWriter): TraceStep | null {
    return alert === null ? null : this.alerts.notAgain(alert, rules, write);
  }

  /** The steps of each delivery, in their order. */
  async deliveries(
    tx: TenantTransaction,
    n: ChainedNotification,
    deliveries: readonly ChainedDelivery[],
    write: StepWriter,
  ): Promise<TraceStep[][]> {
    const now = this.clock.now();
    const waiting = deliveries.filter(({ state }) => isWaiting(state)).map(({ channel }) => channel);
    const [choices, stopped, waits] = await Promise.all([
      this.choices(tx, n),
      this.stopped(tx, deliveries),
      this.waits.of([...new Set(waiting)]),
    ]);
    return deliveries.map((delivery) => {
      const { channel } = delivery;
      const choice = choices.find((each) => each.channel === channel) ?? null;
      const about = { severity: n.severity, queue: Outbox.queue(channel), choice, now };
      const stop = stopped.get(`${channel} ${delivery.address.toLowerCase()}`) ?? null;
      return deliverySteps(delivery, { ...about, stopped: stop, wait: waits.get(channel) }, write);
    });
  }

  /**
   * Why a user did not get it on the other channels of people. Empty for other recipients, and if its sender
   * chose the channels.
   */
  async notUsed(
    tx: TenantTransaction,
    n: ChainedNotification,
    used: ReadonlySet<Channel>,
    write: StepWriter,
  ): Promise<ChannelChain[]> {
    if (n.user_id === null || CHANNEL_CHOSEN.includes(n.kind)) return [];
    const choices = await this.choices(tx, n);
    return PEOPLE_CHANNELS.filter((channel) => !used.has(channel)).map((channel) => {
      const decision = choices.find((each) => each.channel === channel);
      const step = write.step(decision === undefined ? 'channel_unsuited' : offReason(decision));
      return chainOf(channel, null, [step], step);
    });
  }

  private async choices(
    tx: TenantTransaction,
    { kind, severity, user_id }: Pick<ChainedNotification, 'kind' | 'severity' | 'user_id'>,
  ): Promise<DeliveryDecision[]> {
    if (user_id === null || !isKind(kind)) return [];
    return this.outbox.decisions(tx, { kind, severity }, { user_id });
  }

  /** Why addresses of these deliveries are stopped now, by channel and address in lower case. */
  private async stopped(
    tx: TenantTransaction,
    deliveries: readonly ChainedDelivery[],
  ): Promise<ReadonlyMap<string, StopReason>> {
    const rows = await tx.query<{ channel: string; address: string; reason: StopReason }>(
      `SELECT channel, address, reason FROM stopped_addresses
       WHERE tenant_id = $1 AND address = ANY ($2::text[]) LIMIT 200`,
      [tx.tenant_id, [...new Set(deliveries.map(({ address }) => address.toLowerCase()))]],
    );
    return new Map(rows.map(({ channel, address, reason }) => [`${channel} ${address}`, reason]));
  }
}

/** The outcome of a channel. @param fallback if no step decides */
export function chainOf(
  channel: Channel,
  address: string | null,
  steps: TraceStep[],
  fallback: TraceStep,
): ChannelChain {
  const { outcome, reason, text, until } = verdictOf(steps) ?? fallback;
  return { channel, address, outcome, reason, text, until, steps };
}

export function isKind(kind: string): kind is NotificationKind {
  return Object.hasOwn(KINDS, kind);
}

/** The order in which channels are shown. */
export function byChannel(one: { channel: Channel }, other: { channel: Channel }): number {
  return CHANNELS.indexOf(one.channel) - CHANNELS.indexOf(other.channel);
}
