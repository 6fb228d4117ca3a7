import { Injectable } from '@nestjs/common';
import type { Transaction } from '../../platform/database/transaction.js';
import { DEFER, DEFER_OVER_LIMIT, DEFER_OVER_TENANT_LIMIT, HOLD } from '../transitions/admission.sql.js';
import type { Message } from './admission.js';
import { type LimitReason, MINUTE_REASON } from './limits.js';

export interface Deferral {
  message: Message;
  until: Date;
  reason: 'operating_hours' | 'quiet_hours' | 'user_paused';
}

/** A message over a limit of its recipient or tenant. */
export interface OverLimit {
  message: Message;
  reason: Exclude<LimitReason, typeof MINUTE_REASON>;
}

/** The statements for messages that may not leave now. */
@Injectable()
export class Deferring {
  /** Defers messages that hours do not permit now. */
  async defer(tx: Transaction, deferrals: readonly Deferral[], now: Date): Promise<void> {
    if (deferrals.length === 0) return;
    const rows = deferrals.flatMap(({ message, until, reason }) =>
      message.ids.map((id) => ({ tenant_id: message.lead.tenant_id, id, until, reason })),
    );
    await tx.execute(DEFER, [
      rows.map(({ tenant_id }) => tenant_id),
      rows.map(({ id }) => id),
      rows.map(({ until }) => until),
      rows.map(({ reason }) => reason),
      now,
    ]);
  }

  /**
   * Defers messages over a limit: of their recipient until the message that fills it is an hour (a day) old, of their
   * tenant until their own place is free. Run after `admit`, so that it counts this round's messages.
   */
  async deferOverLimit(
    tx: Transaction,
    channel: string,
    over: readonly OverLimit[],
    now: Date,
  ): Promise<void> {
    const ofTenant = (reason: string) => reason.startsWith('limit_per_tenant');
    for (const statement of [DEFER_OVER_LIMIT, DEFER_OVER_TENANT_LIMIT]) {
      const those = over.filter(({ reason }) => ofTenant(reason) === (statement === DEFER_OVER_TENANT_LIMIT));
      if (those.length > 0) await this.deferThose(tx, statement, channel, those, now);
    }
  }

  private async deferThose(
    tx: Transaction,
    statement: string,
    channel: string,
    over: readonly OverLimit[],
    now: Date,
  ): Promise<void> {
    const rows = over.flatMap(({ message: { lead, ids } }, index) =>
      ids.map((id) => ({ tenant_id: lead.tenant_id, id, place: index + 1 })),
    );
    const person = statement === DEFER_OVER_LIMIT;
    const leads = over.map(({ message: { lead } }) => lead);
    await tx.execute(statement, [
      rows.map(({ tenant_id }) => tenant_id),
      rows.map(({ id }) => id),
      rows.map(({ place }) => place),
      leads.map(({ id }) => id),
      leads.map((lead) => (person ? lead.per_user_per_hour : lead.per_tenant_per_hour)),
      leads.map((lead) => (person ? lead.per_user_per_day : lead.per_tenant_per_day)),
      channel,
      now,
      over.map(({ reason }) => reason),
    ]);
  }

  /**
   * Records that messages wait for the limit per minute. They stay due and keep their turn: within a minute there is
   * room again.
   */
  async hold(tx: Transaction, messages: readonly Message[], until: Date, now: Date): Promise<void> {
    if (messages.length === 0) return;
    const rows = messages.flatMap(({ lead, ids }) => ids.map((id) => ({ tenant_id: lead.tenant_id, id })));
    await tx.execute(HOLD, [
      rows.map(({ tenant_id }) => tenant_id),
      rows.map(({ id }) => id),
      until,
      MINUTE_REASON,
      now,
    ]);
  }
}
