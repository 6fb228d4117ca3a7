import type { INestApplicationContext } from '@nestjs/common';
import { PasswordLinks } from '../auth/password/password-links.js';
import { LoginService } from '../auth/sessions/login.service.js';
import { parseEmailAddress } from '../platform/addresses/email-address.js';
import { Database } from '../platform/database/database.js';
import type { TenantCaller } from '../platform/http/caller.js';
import type { TenantEntry } from '../tenants/tenant-directory.js';
import { type ListedUser, NewUser } from '../users/users.dto.js';
import { UsersService } from '../users/users.service.js';
import { audited } from './audited.js';
import { checked } from './checked.js';
import { UsageError } from './exit-codes.js';
import { type Environment, sendsMails, tenantOf, withReadableErrors } from './installation.js';
import { tableOf } from './table.js';

export interface UserOptions {
  tenant: string;
  json?: boolean;
}

export interface NewUserOptions extends UserOptions {
  name?: string;
  role?: string;
  phone?: string;
  locale?: string;
}

/** Users per query. */
const PAGE = 200;

/** `vigie users list`: the text to print. */
export async function listUsers(environment: Environment, { tenant, json }: UserOptions): Promise<string> {
  const users = await withReadableErrors(environment, async (app) => {
    const { id } = await tenantOf(app, tenant);
    const service = app.get(UsersService, { strict: false });
    const all: ListedUser[] = [];
    for (let cursor: string | undefined; ;) {
      const { data, next_cursor } = await service.list(id, { limit: PAGE, cursor });
      all.push(...data);
      if (next_cursor === null) return all.reverse();
      cursor = next_cursor;
    }
  });
  if (json === true) return JSON.stringify(users, null, 2);
  return tableOf(
    ['email', 'name', 'role', 'since', 'state'],
    users.map(({ email, name, role, created_at, active }) => [
      email,
      name,
      role,
      created_at.toISOString().slice(0, 10),
      active ? 'active' : 'invited',
    ]),
  );
}

/**
 * `vigie users create <email>`: creates a user, who gets a welcome mail.
 * @returns the text to print, including the mail's one-time link.
 * @throws Error in plain words: a bad or taken address, an unknown tenant.
 */
export async function createUser(
  environment: Environment,
  email: string,
  { tenant: slug, name, role, phone, locale, json }: NewUserOptions,
): Promise<string> {
  const user = await checked(
    NewUser,
    {
      email,
      name: name ?? email.split('@')[0],
      ...(role === undefined ? {} : { role }),
      ...(phone === undefined ? {} : { phone }),
      ...(locale === undefined ? {} : { locale }),
    },
    { email: 'the address', role: '--role', phone: '--phone' },
  );
  return withReadableErrors(
    environment,
    async (app) => {
      const tenant = await tenantOf(app, slug);
      const act = { action: 'vigie users create', tenant: { id: tenant.id } };
      const created = await audited(app, act, () => createWithLink(app, tenant, user));
      if (json === true)
        return JSON.stringify({ ...created, mail: sendsMails(app) ? 'queued' : 'not_configured' }, null, 2);
      const mail = sendsMails(app)
        ? `A mail with this link is on its way to ${created.user.email}:`
        : 'E-mail is not configured (SMTP_HOST). Give this link to the user yourself; it is a secret.';
      return [`Created ${created.user.email} in ${slug}.`, '', mail, ...describeLink(created.link)].join(
        '\n',
      );
    },
    { mail: true },
  );
}

interface Link {
  url: string;
  expires_at: Date;
}

async function createWithLink(
  app: INestApplicationContext,
  { id, slug }: TenantEntry,
  body: NewUser,
): Promise<{ user: ListedUser; link: Link }> {
  const by: TenantCaller = {
    kind: 'user',
    tenant_id: id,
    principal: 'cli',
    user_id: null,
    agent_id: null,
    role: 'admin',
  };
  const links = app.get(PasswordLinks, { strict: false });
  return app.get(Database, { strict: false }).tenant(id, async (tx) => {
    const user = await app.get(UsersService, { strict: false }).create(tx, by, body);
    const link = await links.newest(tx, user.id);
    if (link === null) throw new Error('the user was not welcomed');
    return { user, link: { url: links.url(id, link.link_id, slug), expires_at: link.expires_at } };
  });
}

/**
 * `vigie users reset-password <email>`: a one-time link for a new password; it replaces earlier ones.
 * @throws Error in plain words.
 */
export async function resetUserPassword(
  environment: Environment,
  written: string,
  { tenant: slug, json }: UserOptions,
): Promise<string> {
  const email = parseEmailAddress(written);
  if (email === null) throw new UsageError(`${written} is not an e-mail address`);
  return withReadableErrors(environment, async (app) => {
    const tenant = await tenantOf(app, slug);
    const id = await userId(app, tenant.id, email);
    if (id === null) throw new Error(`there is no user ${email} in ${slug}: vigie users list shows all`);
    const act = { action: 'vigie users reset-password', targets: { user: id }, tenant: { id: tenant.id } };
    const link = await audited(app, act, () =>
      app.get(LoginService, { strict: false }).handedLink(tenant.id, id),
    );
    return json === true
      ? JSON.stringify({ id, email, link }, null, 2)
      : [`Give this link to ${email}; it is a secret.`, ...describeLink(link)].join('\n');
  });
}

/** The user of this tenant with this address, or null. */
export async function userId(
  app: INestApplicationContext,
  tenantId: string,
  email: string,
): Promise<string | null> {
  const row = await app
    .get(Database, { strict: false })
    .tenant(tenantId, (tx) =>
      tx.one<{ id: string }>(`SELECT id FROM users WHERE tenant_id = $1 AND lower(email) = lower($2)`, [
        tenantId,
        email,
      ]),
    );
  return row?.id ?? null;
}

function describeLink({ url, expires_at }: Link): string[] {
  return [`  ${url}`, `It sets the password. It works once and expires at ${expires_at.toISOString()}.`];
}
