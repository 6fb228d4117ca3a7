import { Inject, Injectable } from '@nestjs/common';
import type { Locale } from '../contracts/locales.js';
import { Clock } from '../platform/clock/clock.js';
import type { TenantTransaction } from '../platform/database/transaction.js';
import type { UserRole } from './user.entity.js';

/** A user's credentials. */
export interface UserCredentials {
  id: string;
  email: string;
  name: string;
  locale: Locale | null;
  role: UserRole;
  /** argon2id; null until the first password is set. */
  password_hash: string | null;
}

const COLUMNS = 'id, email, name, locale, role, password_hash';

/** The only file that reads or writes users' password hashes. */
@Injectable()
export class Credentials {
  constructor(@Inject(Clock) private readonly clock: Clock) {}

  /** The user with this address. @param email in lower case. */
  async byEmail(tx: TenantTransaction, email: string): Promise<UserCredentials | null> {
    return tx.one(`SELECT ${COLUMNS} FROM users WHERE tenant_id = $1 AND lower(email) = $2`, [
      tx.tenant_id,
      email,
    ]);
  }

  async byId(tx: TenantTransaction, id: string): Promise<UserCredentials | null> {
    return tx.one(`SELECT ${COLUMNS} FROM users WHERE tenant_id = $1 AND id = $2`, [tx.tenant_id, id]);
  }

  /**
   * The same user, locked until the transaction ends, if the password still has this hash; null when the user or the
   * password has changed.
   */
  async holdUnchanged(tx: TenantTransaction, id: string, hash: string): Promise<UserCredentials | null> {
    return tx.one(
      `SELECT ${COLUMNS} FROM users WHERE tenant_id = $1 AND id = $2 AND password_hash = $3 FOR SHARE`,
      [tx.tenant_id, id, hash],
    );
  }

  /** The user, locked until the transaction ends; null when there is none. */
  async hold(tx: TenantTransaction, id: string): Promise<UserCredentials | null> {
    return tx.one(`SELECT ${COLUMNS} FROM users WHERE tenant_id = $1 AND id = $2 FOR UPDATE`, [
      tx.tenant_id,
      id,
    ]);
  }

  /** @returns the user, and whether there was a password before; null when the user does not exist. */
  async setPasswordHash(
    tx: TenantTransaction,
    id: string,
    hash: string,
  ): Promise<(Omit<UserCredentials, 'password_hash'> & { replaced: boolean }) | null> {
    return tx.one(
      `WITH was AS (
         SELECT tenant_id, id, password_hash IS NOT NULL AS replaced FROM users
         WHERE tenant_id = $1 AND id = $2 FOR UPDATE)
       UPDATE users u SET password_hash = $3, updated_at = $4 FROM was
       WHERE u.tenant_id = was.tenant_id AND u.id = was.id
       RETURNING u.id, u.email, u.name, u.locale, u.role, was.replaced`,
      [tx.tenant_id, id, hash, this.clock.now()],
    );
  }
}
