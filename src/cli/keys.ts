import { isUUID } from 'class-validator';
import { NewApiKey } from '../auth/keys/api-keys.dto.js';
import { ApiKeysService } from '../auth/keys/api-keys.service.js';
import { audited } from './audited.js';
import { checked } from './checked.js';
import { UsageError } from './exit-codes.js';
import { type Environment, tenantOf, withReadableErrors } from './installation.js';
import { tableOf } from './table.js';

type ApiKey = Awaited<ReturnType<ApiKeysService['list']>>['data'][number];

export interface KeyOptions {
  tenant: string;
  json?: boolean;
}

export interface NewKeyOptions extends KeyOptions {
  scope: string[];
  agent?: string;
  expires?: string;
}

/** Keys per query. */
const PAGE = 200;

/** `vigie keys list`: the text to print, without secrets. */
export async function listKeys(environment: Environment, { tenant, json }: KeyOptions): Promise<string> {
  const keys = await withReadableErrors(environment, async (app) => {
    const { id } = await tenantOf(app, tenant);
    const service = app.get(ApiKeysService, { strict: false });
    const all: ApiKey[] = [];
    for (let cursor: string | undefined; ;) {
      const { data, next_cursor } = await service.list(id, { limit: PAGE, cursor });
      all.push(...data);
      if (next_cursor === null) return all.reverse().map(withoutHashes);
      cursor = next_cursor;
    }
  });
  if (json === true) return JSON.stringify(keys, null, 2);
  if (keys.length === 0) return 'No keys yet. Create one with: vigie keys create <name> --tenant … --scope …';
  return tableOf(
    ['id', 'name', 'scopes', 'since', 'last used', 'state'],
    keys.map(({ id, name, scopes, created_at, last_used_at, revoked_at, expires_at }) => [
      id,
      name,
      scopes.join(' '),
      created_at.toISOString().slice(0, 10),
      last_used_at?.toISOString().slice(0, 10) ?? 'never',
      stateOf(revoked_at, expires_at),
    ]),
  );
}

function stateOf(revokedAt: Date | null, expiresAt: Date | null): string {
  if (revokedAt !== null) return 'revoked';
  if (expiresAt === null) return 'valid';
  return expiresAt <= new Date() ? 'expired' : `valid until ${expiresAt.toISOString().slice(0, 10)}`;
}

function withoutHashes({
  id,
  name,
  scopes,
  agent_id,
  created_at,
  last_used_at,
  expires_at,
  revoked_at,
}: ApiKey) {
  return { id, name, scopes, agent_id, created_at, last_used_at, expires_at, revoked_at };
}

/**
 * `vigie keys create <name>`: creates a key and prints it, once.
 * @throws Error in plain words: an unknown scope, a date in the past, an unknown tenant.
 */
export async function createKey(
  environment: Environment,
  name: string,
  { tenant: slug, scope: scopes, agent, expires, json }: NewKeyOptions,
): Promise<string> {
  const body = await checked(
    NewApiKey,
    {
      name,
      scopes,
      ...(agent === undefined ? {} : { agent_id: agent }),
      ...(expires === undefined ? {} : { expires_at: expires }),
    },
    { name: 'the name', scopes: '--scope', agent_id: '--agent', expires_at: '--expires' },
  );
  return withReadableErrors(environment, async (app) => {
    const { id } = await tenantOf(app, slug);
    const created = await audited(app, { action: 'vigie keys create', tenant: { id } }, () =>
      app.get(ApiKeysService, { strict: false }).create(id, body),
    );
    return json === true
      ? JSON.stringify({ ...withoutHashes(created), key: created.key }, null, 2)
      : [`Created key ${created.id} of ${slug}. It is shown only now:`, `  ${created.key}`].join('\n');
  });
}

/** `vigie keys revoke <id>`. @throws Error in plain words. */
export async function revokeKey(
  environment: Environment,
  keyId: string,
  { tenant: slug, json }: KeyOptions,
): Promise<string> {
  if (!isUUID(keyId)) throw new UsageError(`${keyId} is not the id of a key: vigie keys list shows all`);
  return withReadableErrors(environment, async (app) => {
    const { id } = await tenantOf(app, slug);
    const act = { action: 'vigie keys revoke', targets: { key: keyId }, tenant: { id } };
    await audited(app, act, () => app.get(ApiKeysService, { strict: false }).revoke(id, keyId));
    return json === true ? JSON.stringify({ id: keyId, revoked: true }, null, 2) : `Revoked ${keyId}.`;
  });
}
