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

/** A kind to check, with the tenant's stages for it. */
export interface KindToCheck {
  watched: WatchedKind;
  stages: readonly number[];
}

/** The counts of a check. */
export interface CheckCounts extends Record<string, number> {
  /** Facts that hold. */
  facts: number;
  /** Alerts that are new. */
  opened: number;
  /** Alerts that are announced again: they reached a later stage, or their snooze has ended. */
  staged: number;
  /** Known facts: counted, not announced again. */
  repeated: number;
  /** Alerts whose fact no longer holds. */
  gone: number;
  notifications: number;
  deliveries: number;
}

const NO_NEWS: News = { opened: 0, staged: 0, notifications: 0, deliveries: 0, user_ids: [] };

type SourceListener = (tx: TenantTransaction, sourceIds: readonly string[]) => Promise<void>;

/** The states of alerts: opened by a fact, counted while it holds, ended when it ends. */
@Injectable()
export class Alerts {
  private readonly comparing = new Map<WatchedKind, PreparedStatement>();
  /** Statements by the kinds that have news. */
  private readonly newsStatements = new Map<string, Announcement<NewsParameters>>();
  private readonly sourceListeners = new Map<string, SourceListener>();

  constructor(
    private readonly outbox: Outbox,
    private readonly notifications: Notifications,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Compares the facts of these kinds with the tenant's open alerts, and announces all news together: the findings of
   * one check leave as one message. Checks of the same tenant run one at a time.
   * @param today civil date in the tenant's zone
   */
  async check(tx: TenantTransaction, today: string, kinds: readonly KindToCheck[]): Promise<CheckCounts> {
    const compared = await Promise.all(kinds.map((kind) => this.compare(tx, today, kind)));
    const gone_ids = compared.flatMap((comparison) => comparison.gone_ids);
    if (gone_ids.length > 0) await this.outbox.factsGone(tx, gone_ids);
    const withNews = kinds.filter((_, at) => (compared[at]?.news ?? 0) > 0);
    const { user_ids, ...counts } = await this.tell(tx, today, withNews);
    this.notifications.announced(tx, user_ids, counts.deliveries);
    const facts = compared.reduce((sum, comparison) => sum + comparison.facts, 0);
    const repeated = facts - counts.opened - counts.staged;
    return { facts, repeated, gone: gone_ids.length, ...counts };
  }

  private async compare(
    tx: TenantTransaction,
    today: string,
    { watched, stages }: KindToCheck,
  ): Promise<Comparison> {
    // Planning costs more than running it for a tenant without news.
    const statement = kept(this.comparing, watched, () => compareStatement(watched));
    // One round trip: the second statement takes its snapshot after the first has the lock.
    const [, compared] = await Promise.all([
      tx.lock(checkLock(tx.tenant_id, watched.source_type)),
      tx.one<Comparison>(statement, [tx.tenant_id, today, stages, this.clock.now()]),
    ]);
    if (compared === null) throw new Error('the check returned nothing');
    return compared;
  }

  private async tell(tx: TenantTransaction, today: string, kinds: readonly KindToCheck[]): Promise<News> {
    if (kinds.length === 0) return NO_NEWS;
    const watched = kinds.map((kind) => kind.watched);
    const key = watched.map(({ kind }) => kind).join(' ');
    const statement = kept(this.newsStatements, key, () => newsStatement(watched));
    const stages = Object.fromEntries(kinds.map((kind) => [kind.watched.kind, kind.stages]));
    const [news = NO_NEWS] = await this.notifications.announce<News, NewsParameters>(tx, statement, {
      today,
      stages,
    });
    return news;
  }

  /**
   * Lets a room act when sources of a type were completed, moved or deleted, in the transaction of the
   * change. When it runs, completed and deleted sources are already stored; moved ones may not be.
   */
  onSourcesChanged(sourceType: string, listener: SourceListener): void {
    this.sourceListeners.set(sourceType, listener);
  }

  /**
   * Ends the alerts of sources that were completed, moved or deleted. Waits for a running check: it may have read the
   * old source, and be about to announce it.
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
    if (gone.length > 0) {
      await this.outbox.factsGone(
        tx,
        gone.map(({ id }) => id),
      );
    }
    await this.sourceListeners.get(sourceType)?.(tx, sourceIds);
  }
}

function checkLock(tenantId: string, sourceType: string): string {
  return `check:${tenantId}:${sourceType}`;
}

function kept<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}
