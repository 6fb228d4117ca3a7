import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PasswordLinks } from '../../auth/password/password-links.js';
import type { Locale } from '../../contracts/locales.js';
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

/** What the inbox shows; the mails have their own words, and the link. */
const TEXTS = {
  welcome: {
    fr: {
      title: 'Bienvenue dans Vigie',
      body: 'Votre compte a été créé. Le lien reçu par e-mail permet de choisir votre mot de passe.',
    },
    en: {
      title: 'Welcome to Vigie',
      body: 'Your account was created. The link in your e-mail lets you choose a password.',
    },
  },
  password_reset: {
    fr: {
      title: 'Un nouveau mot de passe a été demandé',
      body: 'Le lien reçu par e-mail permet de le choisir.',
    },
    en: { title: 'A new password was asked for', body: 'The link in your e-mail lets you choose it.' },
  },
} as const satisfies Record<string, Record<Locale, { title: string; body: string }>>;

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

  private async mail(tx: TenantTransaction, user: UserSubject, kind: keyof typeof TEXTS): Promise<void> {
    const { link_id, expires_at } = await this.links.create(tx, user.id);
    const locale = user.locale ?? (await tenantLocale(tx));
    await this.notifications.createMany(tx, [
      {
        user_id: user.id,
        kind,
        severity: 'info',
        ...TEXTS[kind][locale],
        data: { link_id, expires_at: expires_at.toISOString() },
        dedupe_key: `${kind}:${link_id}`,
      },
    ]);
  }
}

async function tenantLocale(tx: TenantTransaction): Promise<Locale> {
  const tenant = await tx.one<{ locale: Locale }>('SELECT locale FROM tenants WHERE id = $1', [tx.tenant_id]);
  return tenant?.locale ?? 'fr';
}
