import { Inject, Injectable } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { Clock } from '../../platform/clock/clock.js';
import { Database, SystemDatabase } from '../../platform/database/database.js';
import type { Transaction } from '../../platform/database/transaction.js';
import { notFound } from '../../platform/errors/problem.js';
import type { SignedIn, TenantCaller } from '../../platform/http/caller.js';
import { decodeCursor, type Page, pageOf } from '../../platform/http/cursor.js';
import type { PageQuery } from '../../platform/http/page.dto.js';
import { Credentials } from '../../users/credentials.js';
import { assertMayTouch } from '../../users/users.service.js';
import { Sessions } from './sessions.js';

export interface OpenSession {
  id: string;
  created_at: Date;
  last_used_at: Date;
  expires_at: Date;
  user_agent: string | null;
  current: boolean;
}

/** The table of a person's sessions: $1 is the tenant (null for operators), $2 the person's id. */
interface Place {
  table: string;
  owner: string;
  keys: [tenantId: string | null, id: string];
}

/** Lists and ends sessions for people. */
@Injectable()
export class OpenSessions {
  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
    private readonly credentials: Credentials,
    private readonly sessions: Sessions,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** A page of the caller's valid sessions, newest first: ids grow with time. */
  async list(signedIn: SignedIn, { limit, cursor }: PageQuery): Promise<Page<OpenSession>> {
    const { table, owner, keys } = placeOf(signedIn);
    const [after] = cursor === undefined ? [null] : decodeCursor(cursor, [(key) => isUUID(key)]);
    const rows = await this.transaction(signedIn, (tx) =>
      tx.query<OpenSession>(
        `SELECT family AS id, created_at, coalesce(rotated_at, created_at) AS last_used_at, expires_at, user_agent,
                family = $4 AS current
         FROM ${table}
         WHERE ${owner} AND revoked_at IS NULL AND expires_at > $3 AND ($5::uuid IS NULL OR family < $5)
         ORDER BY family DESC LIMIT $6`,
        [...keys, this.clock.now(), signedIn.session, after ?? null, limit + 1],
      ),
    );
    return pageOf(
      rows,
      limit,
      (session) => [session.id],
      (session) => session,
    );
  }

  /** @throws Problem not_found when the caller has no such valid session. */
  async end(signedIn: SignedIn, family: string): Promise<void> {
    const { table, owner, keys } = placeOf(signedIn);
    const ended = await this.transaction(signedIn, (tx) =>
      tx.execute(
        `UPDATE ${table} SET revoked_at = $3
         WHERE ${owner} AND family = $4 AND revoked_at IS NULL AND expires_at > $3`,
        [...keys, this.clock.now(), family],
      ),
    );
    if (ended === 0) throw notFound();
    this.sessions.announceEnd(...keys);
  }

  /** Ends all sessions of the caller except the current one. */
  async endOthers(signedIn: SignedIn): Promise<void> {
    const { table, owner, keys } = placeOf(signedIn);
    await this.transaction(signedIn, (tx) =>
      tx.execute(
        `UPDATE ${table} SET revoked_at = $3 WHERE ${owner} AND family <> $4 AND revoked_at IS NULL`,
        [...keys, this.clock.now(), signedIn.session],
      ),
    );
    this.sessions.announceEnd(...keys);
  }

  /** @throws Problem not_found; forbidden when a key that may only write users ends an admin's. */
  async endOfUser(by: TenantCaller, userId: string): Promise<void> {
    await this.database.tenant(by.tenant_id, async (tx) => {
      const user = await this.credentials.byId(tx, userId);
      if (user === null) throw notFound();
      assertMayTouch(by, user.role);
      await this.sessions.endAll(tx, userId);
    });
  }

  private async transaction<Result>(
    { caller }: SignedIn,
    work: (tx: Transaction) => Promise<Result>,
  ): Promise<Result> {
    return caller.kind === 'operator'
      ? this.system.transaction(work)
      : this.database.tenant(caller.tenant_id, work);
  }
}

function placeOf({ caller }: SignedIn): Place {
  if (caller.kind === 'operator') {
    const owner = '$1::uuid IS NULL AND operator_id = $2';
    return { table: 'operator_sessions', owner, keys: [null, caller.operator_id] };
  }
  if (caller.user_id === null) throw notFound();
  return {
    table: 'sessions',
    owner: 'tenant_id = $1 AND user_id = $2',
    keys: [caller.tenant_id, caller.user_id],
  };
}
