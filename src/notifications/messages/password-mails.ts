import { randomUUID } from 'node:crypto';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { type LinkPurpose, PasswordLinks } from '../../auth/password/password-links.js';
import type { NotificationKind } from '../../contracts/kinds.js';
import { Outbox } from '../../delivery/outbox.js';
import { Clock } from '../../platform/clock/clock.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { Credentials } from '../../users/credentials.js';
import { UserEvents, type UserSubject } from '../../users/user-events.js';
import { type NewNotification, Notifications } from '../notifications.service.js';

declare module '../../contracts/kinds.js' {
  interface NotificationData {
    /** The link itself is created when the mail is sent: a secret is never stored. */
    welcome: { link_id: string; expires_at: string };
    password_reset: { link_id: string; expires_at: string };
    password_changed: { changed_at: string };
    /** Mailed to the previous address: the owner of the new one knows about it. */
    email_changed: { changed_at: string; previous_email: string };
  }
}

/**
 * Mails about credentials: one-time links to choose a password, in the transaction that creates them, and notices that
 * a password or an address was changed.
 */
@Injectable()
export class PasswordMails implements OnModuleInit {
  constructor(
    private readonly users: UserEvents,
    private readonly credentials: Credentials,
    private readonly links: PasswordLinks,
    private readonly notifications: Notifications,
    private readonly outbox: Outbox,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.users.onCreated((tx, user) => this.mailLink(tx, user, 'welcome'));
    this.users.onPasswordResetRequested((tx, user) => this.mailLink(tx, user, 'password_reset'));
    this.users.onLinksEnded((tx, userId) => this.outbox.linksEnded(tx, userId));
    this.users.onPasswordChanged((tx, user) =>
      this.notify(tx, user, { kind: 'password_changed', data: { changed_at: this.now() } }),
    );
    this.users.onEmailChanged((tx, user, previous) => this.emailChanged(tx, user, previous));
    this.users.onErased((tx, userId) => this.notifications.userErased(tx, userId));
  }

  private async emailChanged(tx: TenantTransaction, user: UserSubject, previous: string): Promise<void> {
    await this.notify(tx, user, {
      kind: 'email_changed',
      data: { changed_at: this.now(), previous_email: previous },
      sent_to: { channel: 'email', address: previous },
    });
    // A newcomer whose welcome went to the wrong address gets another one. In any order of the listeners, the old link
    // ends.
    await this.links.endAll(tx, user.id);
    const unset = (await this.credentials.byId(tx, user.id))?.password_hash === null;
    if (unset && (await this.wasWelcomed(tx, user.id))) await this.mailLink(tx, user, 'welcome');
  }

  private async wasWelcomed(tx: TenantTransaction, userId: string): Promise<boolean> {
    const welcome = await tx.one(
      `SELECT 1 FROM notifications WHERE tenant_id = $1 AND recipient = $2 AND kind = 'welcome' LIMIT 1`,
      [tx.tenant_id, `user:${userId}`],
    );
    return welcome !== null;
  }

  private async mailLink(tx: TenantTransaction, user: UserSubject, kind: LinkPurpose): Promise<void> {
    const { link_id, expires_at } = await this.links.create(tx, user.id, kind);
    await this.notify(tx, user, { kind, data: { link_id, expires_at: expires_at.toISOString() } }, link_id);
  }

  /** @param key unique together with the kind. */
  private async notify<Kind extends NotificationKind>(
    tx: TenantTransaction,
    { id: user_id }: UserSubject,
    what: Pick<NewNotification<Kind>, 'kind' | 'data' | 'sent_to'>,
    key: string = randomUUID(),
  ): Promise<void> {
    await this.notifications.createMany(tx, [
      { user_id, severity: 'info', audience: 'self', dedupe_key: `${what.kind}:${key}`, ...what },
    ]);
  }

  private now(): string {
    return this.clock.now().toISOString();
  }
}
