import { Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import type { SqlValue, TenantTransaction } from '../platform/database/transaction.js';
import { notFound } from '../platform/errors/problem.js';
import { decodeCursor, isInstantKey, type Page, pageOf } from '../platform/http/cursor.js';
import type { DeliveriesQuery, DeliveryStatus, OwnDelivery } from './deliveries.dto.js';
import { DELIVERY_COLUMNS } from './deliveries.sql.js';

/** Whose: what they received, if they are a user, and what they created. */
export interface Owner {
  user_id: string | null;
  principal: string;
}

const STATES: Record<DeliveryStatus, string> = {
  pending: `d.state IN ('pending', 'queued', 'sending')`,
  sent: `d.state = 'sent'`,
  failed: `d.state IN ('failed', 'suppressed', 'cancelled', 'unknown')`,
};

const COLUMNS = `${DELIVERY_COLUMNS}, n.id AS notification_id, n.recipient, n.kind, n.title, n.created_at`;
const JOINED = `notifications n JOIN deliveries d ON d.tenant_id = n.tenant_id AND d.notification_id = n.id`;
const NEWEST_FIRST = 'created_at DESC, notification_id DESC, id DESC';

/** Deliveries as those see them who sent or got them. */
@Injectable()
export class DeliveryList {
  /**
   * One page, newest first. The two indexes on notifications, of feeds and of creators, each give as many as the
   * page has room for.
   */
  async list(tx: TenantTransaction, owner: Owner, query: DeliveriesQuery): Promise<Page<OwnDelivery>> {
    const values: SqlValue[] = [tx.tenant_id, owner.user_id, owner.principal, query.limit + 1];
    const take = (value: SqlValue) => `$${values.push(value)}`;
    const conditions: string[] = [];
    if (query.channel !== undefined) conditions.push(`d.channel = ${take(query.channel)}`);
    if (query.status !== undefined) conditions.push(STATES[query.status]);
    if (query.cursor !== undefined) {
      const uuid = (key: string) => isUUID(key);
      const [at, notification, id] = decodeCursor(query.cursor, [isInstantKey, uuid, uuid]);
      const last = `${take(at)}::timestamptz, ${take(notification)}::uuid`;
      conditions.push(
        `(n.created_at, n.id) <= (${last})`,
        `(n.created_at, n.id, d.id) < (${last}, ${take(id)}::uuid)`,
      );
    }
    const branch = (whose: string) => `
      (SELECT ${COLUMNS} FROM ${JOINED}
       WHERE ${['n.tenant_id = $1', whose, ...conditions].join(' AND ')}
       ORDER BY n.created_at DESC, n.id DESC, d.id DESC LIMIT $4)`;
    const rows = await tx.query<OwnDelivery>(
      `${branch('n.user_id = $2::uuid')} UNION ${branch('n.created_by = $3::text')}
       ORDER BY ${NEWEST_FIRST} LIMIT $4`,
      values,
    );
    return pageOf(
      rows,
      query.limit,
      ({ created_at, notification_id, id }) => [created_at.toISOString(), notification_id, id],
      (row) => row,
    );
  }

  /**
   * One delivery that they created or received.
   * @throws Problem not_found for one that is not there or somebody else's.
   */
  async get(tx: TenantTransaction, { user_id, principal }: Owner, id: string): Promise<OwnDelivery> {
    const row = await tx.one<OwnDelivery>(
      `SELECT ${COLUMNS} FROM ${JOINED}
       WHERE d.tenant_id = $1 AND d.id = $2 AND (n.user_id = $3::uuid OR n.created_by = $4::text)`,
      [tx.tenant_id, id, user_id, principal],
    );
    if (row === null) throw notFound();
    return row;
  }
}
