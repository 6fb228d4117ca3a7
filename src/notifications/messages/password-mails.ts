import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PasswordLinks } from '../../auth/password/password-links.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { UserEvents, type UserSubject } from '../../users/user-events.js';
import { Notifications } from '../notifications.service.js';

declare module '../../contracts/kinds.js' {
  interface NotificationData {
    /** The link itself is made when the mail is sent: a secret is never stored. */
    welcome: { link_id: string; expires_at: string };
    password_reset: { link_id: string; expires_at: string };
  }
}

/**
 * Mails a one-time link to choose a password: to greet a new user, in the transaction that creates them, and to
 * who has forgotten theirs.
 */
@Injectable()
export class PasswordMails implements OnModuleInit {
  constructor(
    private readonly users: UserEvents,
    private readonly links: PasswordLinks,
    private readonly notifications: Notifications,
  ) {}

  onModuleInit(): void {
    this.users.onCreated((tx, user) => this.mail(tx, user, 'welcome'));
    this.users.onPasswordResetRequested((tx, user) => this.mail(tx, user, 'password_reset'));
  }

  private async mail(
    tx: TenantTransaction,
    user: UserSubject,
    kind: 'welcome' | 'password_reset',
  ): Promise<void> {
    const { link_id, expires_at } = await this.links.create(tx, user.id);
    await this.notifications.createMany(tx, [
      {
        user_id: user.id,
        kind,
        severity: 'info',
        data: { link_id, expires_at: expires_at.toISOString() },
        audience: 'self',
        dedupe_key: `${kind}:${link_id}`,
      },
    ]);
  }
}
