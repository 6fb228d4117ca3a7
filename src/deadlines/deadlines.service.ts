import { Inject, Injectable } from '@nestjs/common';
import { Alerts } from '../notifications/alerts/alerts.service.js';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import { DueItems } from '../due-items/due-items.js';
import { Deadline } from './deadline.entity.js';

@Injectable()
export class DeadlinesService extends DueItems<Deadline> {
  constructor(
    database: Database,
    @Inject(Clock) clock: Clock,
    private readonly alerts: Alerts,
  ) {
    super(database, clock, Deadline);
  }

  protected override dealtWith(tx: TenantTransaction, id: string): Promise<void> {
    return this.alerts.sourcesChanged(tx, 'deadline', [id]);
  }
}
