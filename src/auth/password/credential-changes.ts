import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { Credentials, type UserCredentials } from '../../users/credentials.js';
import { UserEvents } from '../../users/user-events.js';
import { Sessions } from '../sessions/sessions.js';
import { PasswordLinks } from './password-links.js';

/**
 * The only code that changes a user's credentials. A change ends everything that an attacker may have: all sessions and
 * all one-time links (OWASP ASVS 5, 7.4.3).
 */
@Injectable()
export class CredentialChanges implements OnModuleInit {
  constructor(
    private readonly events: UserEvents,
    private readonly credentials: Credentials,
    private readonly sessions: Sessions,
    private readonly links: PasswordLinks,
  ) {}

  onModuleInit(): void {
    this.events.onEmailChanged((tx, user) => this.endAll(tx, user.id));
  }

  /**
   * Sets a user's password.
   * @param session the session to keep; null: none.
   * @returns the user, or null when the user does not exist (any more).
   */
  async setPassword(
    tx: TenantTransaction,
    userId: string,
    hash: string,
    session: string | null = null,
  ): Promise<Omit<UserCredentials, 'password_hash'> | null> {
    const user = await this.credentials.setPasswordHash(tx, userId, hash);
    await this.endAll(tx, userId, session);
    if (user?.replaced === true) await this.events.passwordChanged(tx, user);
    return user;
  }

  private async endAll(tx: TenantTransaction, userId: string, session: string | null = null): Promise<void> {
    await this.sessions.endAll(tx, userId, session);
    await this.links.endAll(tx, userId);
  }
}
