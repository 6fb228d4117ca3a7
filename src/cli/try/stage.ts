import { randomBytes } from 'node:crypto';
import { type Api, ApiError } from '../demo/api.js';
import { Failure } from './step.js';

/** The trial's tenant: created once, suspended between trials. The messages of trials stay on record there. */
export const TRIAL_TENANT = 'vigie-try';
const KEY_NAME = 'vigie try';

interface Page<Row> {
  data: Row[];
  next_cursor: string | null;
}

interface TrialTenant {
  id: string;
  slug: string;
}

/** What the trial works with: its own tenant with one user, and the tenant's key. */
export interface Stage {
  user: { id: string; token: string };
  keyHolder: Api;
  /** Removes the user and the key, and suspends the tenant. */
  strike(): Promise<void>;
}

/** @throws Failure if the login fails. */
export async function signIn(anyone: Api, email: string, password: string): Promise<Api> {
  try {
    const { access_token } = await anyone.call<{ access_token: string }>('POST', 'auth/login', {
      email,
      password,
    });
    return anyone.withToken(access_token);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status >= 500) throw error;
    throw new Failure(
      `${email} was refused: ${error.detail}`,
      'VIGIE_OPERATOR_EMAIL and VIGIE_OPERATOR_PASSWORD must belong to an existing operator: the server reads ' +
        'them only at its first start. After too many attempts, wait a few minutes.',
    );
  }
}

/** Sets up the trial, after removing what an interrupted one left. */
export async function setStage(anyone: Api, operator: Api, email: string): Promise<Stage> {
  const tenant = await trialTenant(operator);
  await removeKeys(operator, tenant.id);
  const { key } = await operator.call<{ key: string }>('POST', `tenants/${tenant.id}/api-keys`, {
    name: KEY_NAME,
    scopes: ['users:read', 'users:write', 'notifications:write', 'admin'],
    expires_at: new Date(Date.now() + 60 * 60 * 1_000).toISOString(),
  });
  const keyHolder = anyone.withKey(key);
  const strike = async () => {
    await removeUsers(keyHolder);
    await removeKeys(operator, tenant.id);
    await operator.call('PATCH', `tenants/${tenant.id}`, { suspended: true });
  };
  try {
    await removeUsers(keyHolder);
    return { user: await makeUser(anyone, keyHolder, email), keyHolder, strike };
  } catch (error) {
    // Report the first failure; the next trial removes the rest.
    await strike().catch(() => undefined);
    throw error;
  }
}

async function trialTenant(operator: Api): Promise<TrialTenant> {
  const found = (await all<TrialTenant>(operator, 'tenants')).find(({ slug }) => slug === TRIAL_TENANT);
  if (found !== undefined) {
    await operator.call('PATCH', `tenants/${found.id}`, { suspended: false });
    return found;
  }
  return operator.call<TrialTenant>('POST', 'tenants', {
    slug: TRIAL_TENANT,
    name: 'Vigie, trial of the installation',
    kind: 'company',
    locale: 'en',
  });
}

async function removeKeys(operator: Api, tenantId: string): Promise<void> {
  const keys = await all<{ id: string; name: string; revoked_at?: string | null }>(
    operator,
    `tenants/${tenantId}/api-keys`,
  );
  for (const { id } of keys.filter(
    ({ name, revoked_at }) => name === KEY_NAME && (revoked_at ?? null) === null,
  )) {
    await operator.call('DELETE', `tenants/${tenantId}/api-keys/${id}`);
  }
}

async function removeUsers(keyHolder: Api): Promise<void> {
  for (const { id } of await all<{ id: string }>(keyHolder, 'users')) {
    await keyHolder.call('DELETE', `users/${id}`);
  }
}

/** A member with a password that lasts as long as the trial. */
async function makeUser(anyone: Api, keyHolder: Api, email: string): Promise<Stage['user']> {
  const { id } = await keyHolder.call<{ id: string }>('POST', 'users', {
    email,
    name: 'Vigie',
    welcome: false,
  });
  const { url } = await keyHolder.call<{ url: string }>('POST', `users/${id}/password-link`);
  const password = randomBytes(18).toString('base64url');
  const token = new URLSearchParams(new URL(url).hash.slice(1)).get('token');
  await anyone.call('POST', 'auth/password', { token, password });
  const { access_token } = await anyone.call<{ access_token: string }>('POST', 'auth/login', {
    email,
    password,
    tenant: TRIAL_TENANT,
  });
  return { id, token: access_token };
}

/** Every row of a list. */
async function all<Row>(api: Api, path: string): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor: string | null = null;
  do {
    const after: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page: Page<Row> = await api.call('GET', `${path}?limit=200${after}`);
    rows.push(...page.data);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return rows;
}
