import { Injectable } from '@nestjs/common';
import { DeliveryErasure } from '../../../delivery/delivery-erasure.js';
import { NotificationErasure } from '../../../notifications/notification-erasure.js';
import { AuditLog } from '../../../platform/audit/audit-log.js';
import type { TenantTransaction } from '../../../platform/database/transaction.js';
import { TenantErasure } from '../../../tenants/tenant-erasure.js';
import { ArchiveErasure } from './archive-erasure.js';
import type { RunningErasure } from './erasure.js';
import type { ErasureStep, StepResult } from './erasure-step.js';
import { loosePatternOf, patternOf } from './needles.js';
import { type TextPage, textPageSql } from './text-page.sql.js';
import { OUTCOME_TABLES, pageOf, TEXT_TABLES, type TextTable } from './text-tables.js';

/** The steps of an erasure, in order. */
@Injectable()
export class ErasureSteps {
  readonly all: readonly ErasureStep[];

  constructor(
    private readonly deliveries: DeliveryErasure,
    private readonly notifications: NotificationErasure,
    private readonly tenants: TenantErasure,
    private readonly audit: AuditLog,
    archives: ArchiveErasure,
  ) {
    this.all = [
      // First: nothing more leaves.
      { name: 'own_deliveries', part: (tx, erasure) => this.ownDeliveries(tx, erasure) },
      { name: 'own_notifications', part: (tx, erasure) => this.ownNotifications(tx, erasure) },
      { name: 'own_traces', part: (tx, erasure) => this.ownTraces(tx, erasure) },
      ...TEXT_TABLES.map((table) => this.textsOf(table)),
      { name: 'sending', part: (tx, erasure) => this.outcomes(tx, erasure) },
      ...OUTCOME_TABLES.map((table) => this.textsOf(table)),
      { name: 'stopped_addresses', part: (tx, erasure) => this.stoppedAddresses(tx, erasure) },
      // Last: until here the cleanup may have archived what was not searched yet.
      { name: 'archives', part: (tx, erasure) => archives.part(tx, erasure) },
    ];
  }

  private async ownDeliveries(
    tx: TenantTransaction,
    { subject, position }: RunningErasure,
  ): Promise<StepResult> {
    const { after, forgotten } = await this.deliveries.forgetPage(tx, subject, position?.[0] ?? null);
    return { position: after === null ? null : [after], counts: { deliveries: forgotten } };
  }

  private async ownNotifications(
    tx: TenantTransaction,
    { subject, position }: RunningErasure,
  ): Promise<StepResult> {
    const { after, emptied } = await this.notifications.emptyPage(
      tx,
      subject.recipients,
      [patternOf(subject, 'postgresql'), loosePatternOf(subject)],
      position?.[0] ?? null,
    );
    return { position: after === null ? null : [after], counts: { notifications: emptied } };
  }

  /** Answers to their own requests, their network addresses, and their place among a tenant's recipients. */
  private async ownTraces(tx: TenantTransaction, { subject, user_id }: RunningErasure): Promise<StepResult> {
    const idempotency_keys = await tx.execute(
      `DELETE FROM idempotency_keys WHERE tenant_id = $1 AND principal = 'user:' || $2::uuid`,
      [tx.tenant_id, user_id],
    );
    const tenants = await this.tenants.forgetRecipient(tx, subject.addresses);
    const audit_log =
      user_id === null ? 0 : await this.audit.forgetAddresses(tx.tenant_id, `user:${user_id}`);
    return { position: null, counts: { idempotency_keys, tenants, audit_log } };
  }

  private textsOf(table: TextTable): ErasureStep {
    const statement = textPageSql(table);
    return {
      name: `texts_of_${table.table}`,
      part: async (tx, { subject, position }) => {
        const page = await tx.one<TextPage>(statement, [
          tx.tenant_id,
          patternOf(subject, 'postgresql'),
          position,
          loosePatternOf(subject),
        ]);
        const { seen, changed, last } = page ?? { seen: 0, changed: 0, last: null };
        if (changed > 0 && table.table === 'tenant_templates') await this.tenants.wordsChanged(tx);
        return { position: seen < pageOf(table) ? null : last, counts: { [table.table]: changed } };
      },
    };
  }

  /** Waits for the messages that were being sent when texts were searched: their outcomes bring their texts. */
  private async outcomes(tx: TenantTransaction, { position }: RunningErasure): Promise<StepResult> {
    await this.deliveries.endForgotten(tx);
    if (position === null) {
      const tokens = await this.deliveries.beingSent(tx);
      return { position: tokens.length === 0 ? null : tokens };
    }
    return (await this.deliveries.isBeingSent(tx, position)) ? { wait: 'sending' } : { position: null };
  }

  private async stoppedAddresses(tx: TenantTransaction, { subject }: RunningErasure): Promise<StepResult> {
    const stopped_addresses = await this.deliveries.freeAddresses(tx, subject.addresses);
    return { position: null, counts: { stopped_addresses } };
  }
}
