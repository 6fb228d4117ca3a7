import { Inject, Injectable } from '@nestjs/common';
import { Alerts } from '../notifications/alerts/alerts.service.js';
import { Clock } from '../platform/clock/clock.js';
import { Database } from '../platform/database/database.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import { DueItems } from '../due-items/due-items.js';
import { DocumentRequest } from './document-request.entity.js';

@Injectable()
export class DocumentsService extends DueItems<DocumentRequest> {
  constructor(
    database: Database,
    @Inject(Clock) clock: Clock,
    private readonly alerts: Alerts,
  ) {
    super(database, clock, DocumentRequest);
  }

  protected override dealtWith(tx: TenantTransaction, id: string): Promise<void> {
    return this.alerts.sourcesChanged(tx, 'document', [id]);
  }
}
