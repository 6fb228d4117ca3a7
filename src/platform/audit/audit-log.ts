import { Inject, Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { Clock } from '../clock/clock.js';
import { CONFIG, type Config } from '../config/config.js';
import { Database, SystemDatabase } from '../database/database.js';
import type { SqlValue } from '../database/transaction.js';
import { Problem } from '../errors/problem.js';
import { decodeCursor, isInstantKey, type Page, pageOf } from '../http/cursor.js';
import { foldedPattern } from '../text/folded.sql.js';

const DAY_MS = 86_400_000;
/** An address is personal data: keep it only as long as an incident may be investigated. */
const ADDRESS_DAYS = 90;
/** How many of the newest rows a search reads: under row-level security, no index can find a part of a text. */
const SEARCHED_ROWS = 50_000;
/** Rows per cleanup statement, so that locks stay short. */
const BATCH = 1_000;

export const ACTOR_KINDS = ['user', 'api_key', 'operator', 'anonymous', 'cli'] as const;
export type ActorKind = (typeof ACTOR_KINDS)[number];

/** An act, recorded before it is carried out. */
export interface Act {
  /** `user:<id>`, `key:<id>`, `operator:<id>`; `anonymous` or `cli`. */
  actor: string;
  actor_kind: ActorKind;
  /** The tenant whose log it goes to, by id or slug. Null or an unknown tenant: the installation's log. */
  tenant: { id: string } | { slug: string } | null;
  /** Method and route: `POST /api/v1/users`; or a command: `vigie tenants create`. */
  action: string;
  /** Resources named in the path, by parameter. */
  targets: Readonly<Record<string, string>>;
  request_id: string;
  /** Null: the command line. */
  ip: string | null;
}

/** Where an act was recorded. */
export interface Written {
  id: string;
  /** Null: the installation's log. */
  tenant_id: string | null;
}

/** One row of a log, as read. */
export interface AuditRow {
  id: string;
  at: Date;
  actor: string;
  actor_kind: ActorKind;
  action: string;
  targets: Record<string, string>;
  status: number | null;
  changed: string[] | null;
  request_id: string;
  ip: string | null;
}

/** Filters for rows; without any, all rows. */
export interface AuditQuery {
  actor?: string;
  action?: string;
  /**
   * Text in the route, the names of changed fields, the targets, the request's id or the address; in the newest 50,000
   * rows that match the other filters.
   */
  q?: string;
  /** Inclusive. */
  since?: Date;
  /** Exclusive. */
  until?: Date;
  limit: number;
  cursor?: string;
}

/**
 * What admins and operators did or attempted. Written as the system role: an act may concern any tenant or none, and
 * the application role can only read.
 */
@Injectable()
export class AuditLog {
  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Records an act in a separate transaction. Without a status the act is still in progress.
   * @throws Problem unavailable: an act that cannot be recorded must not happen.
   */
  async write(act: Act, status: number | null = null): Promise<Written> {
    try {
      return await this.insert(act, status);
    } catch (error) {
      throw unwritable(error);
    }
  }

  /**
   * Adds targets of an act before it is carried out: ids and hashes.
   * @throws Problem unavailable: an act that cannot be recorded must not happen.
   */
  async addTargets({ id, tenant_id }: Written, targets: Act['targets']): Promise<void> {
    const { table, condition } = placeOf(tenant_id);
    try {
      await this.system.query(
        `UPDATE ${table} SET targets = targets || $3::jsonb WHERE ${condition} AND id = $2`,
        [tenant_id, id, JSON.stringify(targets)],
      );
    } catch (error) {
      throw unwritable(error);
    }
  }

  /**
   * Adds the outcome of an act.
   * @param changed names of fields, never values
   * @param targets those that are not in the path: ids and hashes
   */
  async finish(
    { id, tenant_id }: Written,
    status: number,
    changed: readonly string[] | null,
    targets: Act['targets'] = {},
  ): Promise<void> {
    const { table, condition } = placeOf(tenant_id);
    await this.system.query(
      `UPDATE ${table} SET status = $3, changed = $4, targets = targets || $5::jsonb WHERE ${condition} AND id = $2`,
      [tenant_id, id, status, changed, JSON.stringify(targets)],
    );
  }

  /** A page of a tenant's log (null: the installation's log), newest first. */
  async list(tenantId: string | null, query: AuditQuery): Promise<Page<AuditRow>> {
    const { table, condition } = placeOf(tenantId);
    const { actor, action, q, since, until, limit, cursor } = query;
    const [at, id] = cursor === undefined ? [] : decodeCursor(cursor, [isInstantKey, (key) => isUUID(key)]);
    const rowsSql = (more: string) => `
       SELECT id, at, actor, actor_kind, action, targets, status, changed, request_id, ip FROM ${table}
       WHERE ${condition} AND ($2::text IS NULL OR actor = $2) AND ($3::text IS NULL OR action = $3)
         AND ($4::timestamptz IS NULL OR at >= $4) AND ($5::timestamptz IS NULL OR at < $5)
         AND ($6::timestamptz IS NULL OR (at, id) < ($6, $7::uuid))
       ORDER BY at DESC, id DESC LIMIT ${more}`;
    // Each page searches the 50,000 rows that follow the cursor.
    const sql =
      q === undefined
        ? rowsSql('$8')
        : `SELECT * FROM (${rowsSql(String(SEARCHED_ROWS))}) newest
           WHERE concat_ws(' ', action, array_to_string(changed, ' '), targets::text, request_id, ip) ~ $9
           ORDER BY at DESC, id DESC LIMIT $8`;
    const search = q === undefined ? [] : [foldedPattern(q)];
    const parameters = [tenantId, actor, action, since, until, at, id, limit + 1]
      .map((value): SqlValue => value ?? null)
      .concat(search);
    const rows = await (tenantId === null
      ? this.system.query<AuditRow>(sql, parameters)
      : this.database.tenant(tenantId, (tx) => tx.query<AuditRow>(sql, parameters)));
    return pageOf(
      rows,
      limit,
      (row) => [row.at.toISOString(), row.id],
      (row) => row,
    );
  }

  /**
   * Deletes rows older than AUDIT_RETENTION_DAYS, and addresses older than 90 days, from one log.
   * @param tenantId null: the installation's log. @returns the number of deleted rows.
   */
  async clean(tenantId: string | null, signal: AbortSignal): Promise<number> {
    const { table, condition } = placeOf(tenantId);
    const before = (days: number) => new Date(this.clock.now().getTime() - days * DAY_MS);
    const batch = async (statement: string, more: string, days: number) => {
      signal.throwIfAborted();
      const rows = await this.system.query(
        `${statement} WHERE ctid = ANY (ARRAY(
           SELECT ctid FROM ${table} WHERE ${condition} AND at < $2 ${more} LIMIT ${BATCH})) RETURNING 1`,
        [tenantId, before(days)],
      );
      return rows.length;
    };
    let gone = 0;
    for (let last = BATCH; last === BATCH; gone += last) {
      last = await batch(`DELETE FROM ${table}`, '', this.config.auditRetentionDays);
    }
    while ((await batch(`UPDATE ${table} SET ip = NULL`, 'AND ip IS NOT NULL', ADDRESS_DAYS)) === BATCH);
    return gone;
  }

  /** Deletes the network addresses from which somebody acted. @returns how many rows had one */
  async forgetAddresses(tenantId: string, actor: string): Promise<number> {
    const rows = await this.system.query(
      `UPDATE audit_log SET ip = NULL WHERE tenant_id = $1 AND actor = $2 AND ip IS NOT NULL RETURNING 1`,
      [tenantId, actor],
    );
    return rows.length;
  }

  private async insert({ tenant, ...act }: Act, status: number | null): Promise<Written> {
    const [row] = await this.system.query<Written>(
      `WITH act AS (
         SELECT new_id() AS id, $3::text AS actor, $4::text AS actor_kind, $5::text AS action,
                $6::jsonb AS targets, $7::timestamptz AS at, $8::smallint AS status, $9::text AS request_id,
                $10::text AS ip,
                (SELECT id FROM tenants WHERE id = $1::uuid OR slug = $2::text) AS tenant_id),
       a AS (
         INSERT INTO audit_log (tenant_id, id, actor, actor_kind, action, targets, at, status, request_id, ip)
         SELECT tenant_id, id, actor, actor_kind, action, targets, at, status, request_id, ip
         FROM act WHERE tenant_id IS NOT NULL),
       b AS (
         INSERT INTO installation_audit_log (id, actor, actor_kind, action, targets, at, status, request_id, ip)
         SELECT id, actor, actor_kind, action, targets, at, status, request_id, ip
         FROM act WHERE tenant_id IS NULL)
       SELECT id, tenant_id FROM act`,
      [
        tenant !== null && 'id' in tenant ? tenant.id : null,
        tenant !== null && 'slug' in tenant ? tenant.slug : null,
        act.actor,
        act.actor_kind,
        act.action,
        JSON.stringify(act.targets),
        this.clock.now(),
        status,
        act.request_id,
        act.ip,
      ],
    );
    if (row === undefined) throw new Error('INSERT … SELECT returned no row');
    return row;
  }
}

function unwritable(cause: unknown): Problem {
  return new Problem('unavailable', 'the audit log cannot be written; nothing was done', { cause });
}

/** $1 is the tenant in each. */
function placeOf(tenantId: string | null): { table: string; condition: string } {
  return tenantId === null
    ? { table: 'installation_audit_log', condition: '$1::uuid IS NULL' }
    : { table: 'audit_log', condition: 'tenant_id = $1' };
}
