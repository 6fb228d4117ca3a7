import { FirstAdmins, type OpenedTenant } from '../auth/first-admins.js';
import { NewTenant } from '../tenants/tenants.dto.js';
import { TenantsService } from '../tenants/tenants.service.js';
import { NewUser } from '../users/users.dto.js';
import { audited, sentenceOf } from './audited.js';
import { checked } from './checked.js';
import { type Environment, sendsMails, withInstallation } from './installation.js';
import { tableOf } from './table.js';

export interface NewTenantOptions {
  name: string;
  admin: string;
  adminName?: string;
  kind?: string;
  timeZone?: string;
  locale?: string;
  json?: boolean;
}

/** Tenants per query. */
const PAGE = 200;

/**
 * `vigie tenants create <slug>`: creates a tenant, its first admin and the welcome mail, in one transaction.
 * @returns the text to print, including the mail's one-time link.
 * @throws Error in plain words: a bad or taken slug, a bad address, an unknown zone.
 */
export async function createTenant(
  environment: Environment,
  slug: string,
  options: NewTenantOptions,
): Promise<string> {
  const tenant = await checked(NewTenant, {
    slug,
    name: options.name,
    kind: options.kind ?? 'cabinet',
    ...(options.timeZone === undefined ? {} : { time_zone: options.timeZone }),
    ...(options.locale === undefined ? {} : { locale: options.locale }),
  });
  const name = options.adminName ?? options.admin.split('@')[0];
  const admin = await checked(NewUser, { email: options.admin, name }, { name: '--admin-name' });
  return withInstallation(
    environment,
    async (app) => {
      try {
        const opened = await audited(app, { action: 'vigie tenants create' }, () =>
          app.get(FirstAdmins, { strict: false }).open(tenant, admin, 'cli'),
        );
        return options.json === true
          ? JSON.stringify({ ...opened, mail: sendsMails(app) ? 'queued' : 'not_configured' }, null, 2)
          : describe(opened, sendsMails(app));
      } catch (error) {
        throw sentenceOf(error);
      }
    },
    { mail: true },
  );
}

/** `vigie tenants list`: the text to print. */
export async function listTenants(environment: Environment, { json }: { json?: boolean }): Promise<string> {
  const tenants = await withInstallation(environment, async (app) => {
    const service = app.get(TenantsService, { strict: false });
    const all = [];
    for (let cursor: string | undefined; ;) {
      const { data, next_cursor } = await service.list({ limit: PAGE, cursor });
      all.push(...data);
      if (next_cursor === null) return all.reverse();
      cursor = next_cursor;
    }
  });
  if (json === true) return JSON.stringify(tenants, null, 2);
  if (tenants.length === 0)
    return 'No tenants yet. Create one with: vigie tenants create <slug> --name … --admin …';
  return tableOf(
    ['slug', 'name', 'kind', 'time zone', 'locale', 'since', 'state'],
    tenants.map(({ slug, name, kind, time_zone, locale, created_at, suspended_at }) => [
      slug,
      name,
      kind,
      time_zone,
      locale,
      created_at.toISOString().slice(0, 10),
      suspended_at === null ? 'active' : 'suspended',
    ]),
  );
}

function describe({ tenant, admin, link }: OpenedTenant, isMailed: boolean): string {
  const mail = isMailed
    ? `A mail with this link is on its way to ${admin.email}:`
    : 'E-mail is not configured (SMTP_HOST). Give this link to the admin yourself; it is a secret.';
  return [
    `Created tenant ${tenant.slug} with the admin ${admin.email}.`,
    '',
    mail,
    `  ${link.url}`,
    `It sets the admin's password. It works once and expires at ${link.expires_at.toISOString()}.`,
  ].join('\n');
}
