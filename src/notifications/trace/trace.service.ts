import { Inject, Injectable } from '@nestjs/common';
import { shownAddressSql } from '../../delivery/forgotten-address.sql.js';
import { declarationOf } from '../../contracts/kind-lists.js';
import type { Reason } from '../../contracts/reasons.js';
import { Clock } from '../../platform/clock/clock.js';
import type { SqlValue, TenantTransaction } from '../../platform/database/transaction.js';
import { notFound } from '../../platform/errors/problem.js';
import { tenantToday } from '../../tenants/tenant-today.js';
import { Wording } from '../../wording/wording.js';
import {
  NOTIFICATION_COLUMNS,
  type NotificationRow,
  NotificationViews,
} from '../views/notification-views.js';
import { localeOf, type ReaderRow, readerSql } from '../views/reader.js';
import {
  DELIVERY_COLUMNS,
  HISTORY_COLUMN,
  PROVIDER_EVENTS_COLUMN,
  RECIPIENT_NAME,
  sentColumns,
} from '../deliveries/deliveries.sql.js';
import { type DeliveryReader, mayReadSql } from '../deliveries/tenant-deliveries.sql.js';
import { type ChainedNotification, Chains } from './chains.js';
import { StepWriter } from './step-writer.js';
import type { NotificationTrace, OtherRecipient, TracedDelivery, TracedItem } from './trace.dto.js';

const MAX_DELIVERIES = 100;
const MAX_OTHERS = 50;

type TraceRow = NotificationRow &
  ReaderRow &
  ChainedNotification &
  Pick<NotificationTrace, 'recipient_name'> & { dedupe_key: string };

/** Reads what happened to a notification: whom it reached on which channel, when and why, or why not. */
@Injectable()
export class Traces {
  constructor(
    private readonly views: NotificationViews,
    private readonly wording: Wording,
    private readonly chains: Chains,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * The trace of a notification: of any in the tenant for admins, for others only of those that they received
   * or created.
   * @throws Problem not_found
   */
  async get(tx: TenantTransaction, reader: DeliveryReader, id: string): Promise<NotificationTrace> {
    const values: SqlValue[] = [tx.tenant_id, reader.user_id, id];
    const mayRead = mayReadSql(reader, (value) => `$${values.push(value)}`);
    const row = await tx.one<TraceRow>(
      `SELECT ${NOTIFICATION_COLUMNS}, n.recipient, n.user_id, n.dedupe_key, n.created_by, ${RECIPIENT_NAME} AS recipient_name, reader.*
       FROM notifications n LEFT JOIN users person ON person.tenant_id = n.tenant_id AND person.id = n.user_id
       CROSS JOIN (${readerSql('$1', '$2::uuid')}) reader
       WHERE n.tenant_id = $1 AND n.id = $3 AND ${mayRead}`,
      values,
    );
    if (row === null) throw notFound();
    const { title, body, author, created_at } = this.views.of(row, await this.views.ownWords(tx, [row]));
    const { kind, severity, alert_id, recipient, user_id, recipient_name, audience } = row;
    const isAdmin = reader.role === 'admin';
    const locale = localeOf(row.reader_locale);
    const textOf = (reason: Reason) => this.wording.reasonText(reason, locale);
    const write = new StepWriter(textOf, this.chains.idsOf(row), isAdmin);
    const deliveries = await this.deliveries(tx, id, isAdmin || user_id === reader.user_id);
    const steps = await this.chains.deliveries(tx, row, deliveries, write);
    const used = new Set(deliveries.map(({ channel }) => channel));
    const { settings } = await tenantToday(tx, this.clock.now());
    const alert = await this.chains.alert(tx, row);
    return {
      ...{ id, kind, severity, title, body, author, created_at, alert_id, item: itemOf(row) },
      ...{ recipient, user_id, recipient_name, audience },
      steps: await this.chains.origin(tx, row, alert, write),
      deliveries: deliveries.map((delivery, at) => ({ ...delivery, steps: steps[at] ?? [] })),
      not_used: await this.chains.notUsed(tx, row, used, write),
      again: this.chains.again(alert, { time_zone: row.time_zone, settings }, write),
      others: isAdmin && alert_id !== null ? await this.others(tx, row) : [],
    };
  }

  /** @param mayReadAll whether the reader may read messages with other notifications in them */
  private async deliveries(
    tx: TenantTransaction,
    id: string,
    mayReadAll: boolean,
  ): Promise<Omit<TracedDelivery, 'steps'>[]> {
    return tx.query(
      `SELECT ${DELIVERY_COLUMNS}, ${shownAddressSql('d')} AS address, d.created_at, d.ended_at, ${sentColumns(String(mayReadAll))},
              ${PROVIDER_EVENTS_COLUMN}, ${HISTORY_COLUMN}
       FROM deliveries d WHERE d.tenant_id = $1 AND d.notification_id = $2
       ORDER BY d.id LIMIT ${MAX_DELIVERIES}`,
      [tx.tenant_id, id],
    );
  }

  /** Who else was notified of the same fact at the same stage: the keys of such notifications are the same. */
  private async others(
    tx: TenantTransaction,
    { id, alert_id, dedupe_key }: TraceRow,
  ): Promise<OtherRecipient[]> {
    return tx.query<OtherRecipient>(
      `SELECT n.id AS notification_id, n.recipient, n.user_id, ${RECIPIENT_NAME} AS recipient_name, n.audience
       FROM notifications n LEFT JOIN users person ON person.tenant_id = n.tenant_id AND person.id = n.user_id
       WHERE n.tenant_id = $1 AND n.alert_id = $2 AND n.dedupe_key = $3 AND n.id <> $4
       ORDER BY person.name NULLS LAST, n.recipient LIMIT ${MAX_OTHERS}`,
      [tx.tenant_id, alert_id, dedupe_key, id],
    );
  }
}

function itemOf({ kind, data }: NotificationRow): TracedItem | null {
  const item = declarationOf(kind)?.item;
  const id = item === undefined ? null : data[item.id];
  return item !== undefined && typeof id === 'string' ? { type: item.type, id } : null;
}
