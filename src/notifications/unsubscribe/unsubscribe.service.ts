import { Injectable } from '@nestjs/common';
import { type UnsubscribeLink, UnsubscribeLinks } from '../../auth/unsubscribe-links.js';
import type { OptionalKind } from '../../contracts/kind-lists.js';
import type { Locale } from '../../contracts/locales.js';
import { Database } from '../../platform/database/database.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { PreferencesService } from '../../users/preferences/preferences.service.js';
import { localeOf } from '../views/reader.js';

/** What the page of a link shows. It omits the user's name and address. */
export interface Subscription {
  locale: Locale;
  tenant: { name: string };
  /** The kinds of the link that are sent, and those that are not. */
  on: { kind: OptionalKind }[];
  off: { kind: OptionalKind }[];
}

interface UserRow {
  locale: string;
  tenant_name: string;
}

/** Turns kinds off and on by the links in mails: the link is the credential. */
@Injectable()
export class Unsubscribing {
  constructor(
    private readonly links: UnsubscribeLinks,
    private readonly database: Database,
    private readonly preferences: PreferencesService,
  ) {}

  /** @returns null where the link does not work: changed, its user erased, its tenant suspended. */
  async show(token: string): Promise<Subscription | null> {
    return this.within(token, (tx, link, row) => this.shown(tx, link, row));
  }

  /**
   * Turns kinds of the link off, or on again. May be repeated.
   * @param kinds only the link's kinds among these; null: all of them
   * @returns null where the link does not work
   */
  async turn(token: string, kinds: readonly unknown[] | null, on: boolean): Promise<Subscription | null> {
    return this.within(token, async (tx, link, row) => {
      const chosen = link.kinds.filter((kind) => kinds?.includes(kind) ?? true);
      await this.preferences.turn(tx, link.user_id, link.channel, chosen, on);
      return this.shown(tx, link, row);
    });
  }

  private async within<Result>(
    token: string,
    work: (tx: TenantTransaction, link: UnsubscribeLink, row: UserRow) => Promise<Result>,
  ): Promise<Result | null> {
    const link = this.links.read(token);
    if (link === null) return null;
    return this.database.tenant(link.tenant_id, async (tx) => {
      const row = await tx.one<UserRow>(USER, [tx.tenant_id, link.user_id]);
      return row === null ? null : work(tx, link, row);
    });
  }

  private async shown(
    tx: TenantTransaction,
    { user_id, channel, kinds }: UnsubscribeLink,
    { locale, tenant_name }: UserRow,
  ): Promise<Subscription> {
    const effective = await this.preferences.effective(tx, user_id);
    const enabled = new Set(
      effective.filter((each) => each.channel === channel && each.enabled).map(({ kind }) => kind),
    );
    return {
      locale: localeOf(locale),
      tenant: { name: tenant_name },
      on: kinds.filter((kind) => enabled.has(kind)).map((kind) => ({ kind })),
      off: kinds.filter((kind) => !enabled.has(kind)).map((kind) => ({ kind })),
    };
  }
}

/** $1 tenant id, $2 user id */
const USER = `
  SELECT coalesce(u.locale, t.locale) AS locale, t.name AS tenant_name
  FROM users u JOIN tenants t ON t.id = u.tenant_id AND t.suspended_at IS NULL
  WHERE u.tenant_id = $1 AND u.id = $2`;
