import { Inject, Injectable } from '@nestjs/common';
import { Outbox } from '../../delivery/outbox.js';
import { Clock } from '../../platform/clock/clock.js';
import type { PreparedStatement, TenantTransaction } from '../../platform/database/transaction.js';
import type { Announcement } from '../announcement.js';
import { Notifications } from '../notifications.service.js';
import {
  compareStatement,
  type Comparison,
  type News,
  type NewsParameters,
  newsStatement,
} from './check.sql.js';
import type { WatchedKind } from './watched.js';

/** What a check of one kind found and did, in numbers. */
export interface CheckCounts extends Record<string, number> {
  /** Facts that hold. */
  facts: number;
  /** Alerts that are new. */
  opened: number;
  /** Alerts that reached a later stage, and so are announced once more. */
  staged: number;
  /** Facts that are known: counted, not announced again. */
  repeated: number;
  /** Alerts whose fact no longer holds. */
  gone: number;
  notifications: number;
  deliveries: number;
}

interface Statements {
  compare: PreparedStatement;
  news: Announcement<NewsParameters>;
}

const NO_NEWS: News = { opened: 0, staged: 0, notifications: 0, deliveries: 0, user_ids: [] };

/** The states of alerts: opened by a fact, counted while it holds, ended with it. */
@Injectable()
export class Alerts {
  private readonly statements = new Map<WatchedKind, Statements>();

  constructor(
    private readonly outbox: Outbox,
    private readonly notifications: Notifications,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Compares the facts of one kind with the tenant's standing alerts, and announces what is new. Checks of the same
   * tenant and kind wait for each other.
   * @param today civil date in the tenant's zone
   */
  async check(
    tx: TenantTransaction,
    watched: WatchedKind,
    today: string,
    stages: readonly number[],
  ): Promise<CheckCounts> {
    const { compare, news } = this.statementsOf(watched);
    // One message: the second begins, with a view of its own, when the first has the lock.
    const [, compared] = await Promise.all([
      tx.lock(checkLock(tx.tenant_id, watched.source_type)),
      tx.one<Comparison>(compare, [tx.tenant_id, today, stages, this.clock.now()]),
    ]);
    if (compared === null) throw new Error('the check returned nothing');
    const { facts, gone_ids } = compared;
    if (gone_ids.length > 0) await this.outbox.factsGone(tx, gone_ids);
    const [announced = NO_NEWS] =
      compared.news === 0
        ? []
        : await this.notifications.announce<News, NewsParameters>(tx, news, { today, stages });
    const { user_ids, ...counts } = announced;
    this.notifications.announced(tx, user_ids, counts.deliveries);
    const repeated = facts - counts.opened - counts.staged;
    return { facts, repeated, gone: gone_ids.length, ...counts };
  }

  /** Planning them costs more than running them for a tenant with nothing new. */
  private statementsOf(watched: WatchedKind): Statements {
    const statements = this.statements.get(watched) ?? {
      compare: compareStatement(watched),
      news: newsStatement(watched),
    };
    this.statements.set(watched, statements);
    return statements;
  }

  /**
   * Sources were completed, moved or deleted: their alerts end. Waits for a check that is under way:
   * it may have read a source as it was, and be about to announce it.
   */
  async sourcesChanged(
    tx: TenantTransaction,
    sourceType: string,
    sourceIds: readonly string[],
  ): Promise<void> {
    if (sourceIds.length === 0) return;
    await tx.lock(checkLock(tx.tenant_id, sourceType), 'shared');
    const gone = await tx.query<{ id: string }>(
      `UPDATE alerts SET gone_at = $4, state = 'resolved', resolved_at = coalesce(resolved_at, $4)
       WHERE tenant_id = $1 AND source_type = $2 AND source_id = ANY ($3::uuid[]) AND gone_at IS NULL
       RETURNING id`,
      [tx.tenant_id, sourceType, sourceIds, this.clock.now()],
    );
    if (gone.length === 0) return;
    await this.outbox.factsGone(
      tx,
      gone.map(({ id }) => id),
    );
  }
}

function checkLock(tenantId: string, sourceType: string): string {
  return `check:${tenantId}:${sourceType}`;
}
