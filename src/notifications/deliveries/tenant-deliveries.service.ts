import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { type CountedPage, countedPage } from '../../platform/lists/counted-page.js';
import { type ListedRow, NotificationViews } from '../views/notification-views.js';
import { DELIVERY_COLUMNS, RECIPIENT_NAME, WORDED } from './deliveries.sql.js';
import type { TenantDeliveriesQuery, TenantDelivery } from './tenant-deliveries.dto.js';
import {
  DELIVERY_ORDERS,
  type DeliveryReader,
  deliveryRows,
  MAX_COUNTED,
  NEWEST_FIRST,
} from './tenant-deliveries.sql.js';

type Row = Omit<TenantDelivery, 'title'> & ListedRow;

const COLUMNS = `${DELIVERY_COLUMNS}, d.created_at, d.ended_at, n.id AS notification_id, n.kind, n.severity,
  n.recipient, n.user_id, ${RECIPIENT_NAME} AS recipient_name, ${WORDED} AS worded, reader.*`;

/** Lists the deliveries of a tenant: all of them for admins, for others those that they received or created. */
@Injectable()
export class TenantDeliveries {
  constructor(private readonly views: NotificationViews) {}

  /** One page, newest first by default. @throws Problem invalid_cursor */
  async list(
    tx: TenantTransaction,
    reader: DeliveryReader,
    query: TenantDeliveriesQuery,
  ): Promise<CountedPage<TenantDelivery>> {
    const list = {
      columns: COLUMNS,
      ...deliveryRows(reader, query),
      orders: DELIVERY_ORDERS,
      maxCount: MAX_COUNTED,
    };
    const { limit, cursor, count, sort = NEWEST_FIRST } = query;
    const page = await countedPage<Row>(tx, list, { limit, cursor, count, sort });
    const own = await this.views.ownWords(tx, page.data);
    return { ...page, data: page.data.map((row) => this.views.titled(row, own)) };
  }
}
