import {
  DELIVERY_TABLES,
  deliveriesEndedSql,
  failedDeliveriesSql,
} from '../../delivery/archived-deliveries.js';
import {
  BEFORE_DELETING_NOTIFICATIONS,
  BUMP_COUNTING_INBOXES,
  FALLBACK_TABLE,
  LOCK_COUNTING_INBOXES,
  NOTIFICATION_TABLE,
  notificationFinishedSql,
  notificationsOfSql,
} from '../../notifications/archived-notifications.js';
import type { ArchivedThing } from '../../platform/archives/archived-thing.js';

/** The instants that the tenant's retention sets. */
export type Cutoff = 'sent_before' | 'failed_before' | 'unread_before';

const NOTIFICATIONS: ArchivedThing<Cutoff> = {
  name: 'notifications',
  tables: [NOTIFICATION_TABLE, FALLBACK_TABLE, ...DELIVERY_TABLES],
  instant: 'created_at',
  user: 'user_id',
  cutoffs: ['sent_before', 'failed_before', 'unread_before'],
  until: 'sent_before',
  finishedSql: (n, p) => notificationFinishedSql(n, p, deliveriesEndedSql(n, p)),
  earlySql: (p, after, limit) => notificationsOfSql(p.tenant_id, failedDeliveriesSql(p, after, limit)),
  lockSql: LOCK_COUNTING_INBOXES,
  beforeDeleteSql: BEFORE_DELETING_NOTIFICATIONS,
  afterRestoreSql: BUMP_COUNTING_INBOXES,
};

/** Everything that is archived before it is deleted, in this order. */
export const ARCHIVED_THINGS: readonly ArchivedThing<Cutoff>[] = [NOTIFICATIONS];
