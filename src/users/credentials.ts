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
   * The same user, held until the transaction ends, if address and password are still these; null when one of them
   * has changed, or the user was erased.
   * @param mode `NO KEY UPDATE` to change the user afterwards: two who share a lock cannot both make it stronger.
   */
  async holdUnchanged(
    tx: TenantTransaction,
    { id, email, password_hash }: Pick<UserCredentials, 'id' | 'email' | 'password_hash'>,
    mode: 'SHARE' | 'NO KEY UPDATE',
  ): Promise<UserCredentials | null> {
    return tx.one(
      `SELECT ${COLUMNS} FROM users
       WHERE tenant_id = $1 AND id = $2 AND password_hash = $3 AND lower(email) = lower($4) FOR ${mode}`,
      [tx.tenant_id, id, password_hash, email],
    );
  }

  /**
   * The user, held until the transaction ends; null when there is no such user. Rows that refer to the user, such as
   * an announcement's, do not wait for it: the transaction that writes one may hold the user's inbox already.
   */
  async hold(tx: TenantTransaction, id: string): Promise<UserCredentials | null> {
    return tx.one(`SELECT ${COLUMNS} FROM users WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE`, [
      tx.tenant_id,
      id,
    ]);
  }

  /** The user with this address, held as by `hold`. @param email in lower case. */
  async holdByEmail(tx: TenantTransaction, email: string): Promise<UserCredentials | null> {
    return tx.one(
      `SELECT ${COLUMNS} FROM users WHERE tenant_id = $1 AND lower(email) = $2 FOR NO KEY UPDATE`,
      [tx.tenant_id, email],
    );
  }

  /** @returns the user, and whether there was a password before; null when there is no such user. */
  async setPasswordHash(
    tx: TenantTransaction,
    id: string,
    hash: string,
  ): Promise<(Omit<UserCredentials, 'password_hash'> & { replaced: boolean }) | null> {
    return tx.one(
      `WITH was AS (
         SELECT tenant_id, id, password_hash IS NOT NULL AS replaced FROM users
         WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE)
       UPDATE users u SET password_hash = $3, updated_at = $4 FROM was
       WHERE u.tenant_id = was.tenant_id AND u.id = was.id
       RETURNING u.id, u.email, u.name, u.locale, u.role, was.replaced`,
      [tx.tenant_id, id, hash, this.clock.now()],
    );
  }
}
