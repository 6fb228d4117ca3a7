import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PasswordLinks } from '../auth/password-links.js';
import { UserEvents } from '../users/user-events.js';
import { Notifications } from './notifications.service.js';

const TITLES = { fr: 'Bienvenue sur Vigie', en: 'Welcome to Vigie' };
const BODIES = {
  fr: 'Votre compte a été créé. Le lien reçu par e-mail permet de choisir votre mot de passe.',
  en: 'Your account was created. The link in your e-mail lets you choose a password.',
};

/** Greets a new user, in the transaction that creates them, with a one-time link to set the password. */
@Injectable()
export class Welcome implements OnModuleInit {
  constructor(
    private readonly users: UserEvents,
    private readonly links: PasswordLinks,
    private readonly notifications: Notifications,
  ) {}

  onModuleInit(): void {
    this.users.onCreated(async (tx, user) => {
      const { link_id, expires_at } = await this.links.create(tx, user.id);
      const locale = user.locale ?? 'fr';
      await this.notifications.createMany(tx, [
        {
          user_id: user.id,
          kind: 'welcome',
          severity: 'info',
          title: TITLES[locale],
          body: BODIES[locale],
          data: { link_id, expires_at: expires_at.toISOString() },
          dedupe_key: `welcome:${link_id}`,
        },
      ]);
    });
  }
}
