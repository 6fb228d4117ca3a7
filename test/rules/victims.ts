import { randomBytes, randomUUID } from 'node:crypto';
import { addEntry, addJob, addReport } from '../../src/backups/board/records.fixture.js';
import type { Cast } from '../support/cast.js';
import { newSecret } from '../../src/delivery/channels/webhook/calls/webhook-caller.js';
import { EndpointSecrets } from '../../src/delivery/channels/webhook/endpoints/endpoint-secrets.js';
import { insertRow, type Row } from '../support/rows.js';
import type { World } from '../support/world.js';

/** In every text of a victim: it must never reach another user. */
export const CANARY = 'canary-of-cabinet-martin';

/** A row whose id others try. */
export interface Victim {
  table: string;
  id: string;
  /** The column that has the id; `id` by default. */
  column?: string;
}

/** How the routes under a path are tested. A new path with an id needs an entry here. */
export interface Case {
  /** A row of the cast's tenant (of its admin, if it belongs to one user). */
  create: (world: World, cast: Cast) => Promise<Victim>;
  /** A body that the route accepts, by method. */
  bodies?: Partial<Record<string, unknown>>;
  /** Whether only one user of the tenant may see it. */
  personal?: boolean;
}

async function insert(world: World, table: string, row: Row): Promise<Victim> {
  return { table, id: await insertRow(world, table, row) };
}

const dueItem = (table: string): Case => ({
  create: (world, { tenant_id }) =>
    insert(world, table, {
      tenant_id,
      title: CANARY,
      client_name: CANARY,
      description: CANARY,
      due_on: '2026-03-31',
    }),
  bodies: { PATCH: { title: 'taken' } },
});

const notification = (world: World, { tenant_id, admin }: Cast): Promise<Victim> =>
  insert(world, 'notifications', {
    tenant_id,
    recipient: `user:${admin.id}`,
    user_id: admin.id,
    created_by: `user:${admin.id}`,
    dedupe_key: randomUUID(),
    kind: 'event',
    severity: 'info',
    data: { kind: 'test', title: CANARY, body: CANARY },
    audience: 'self',
    seq: 1,
    created_at: '2026-03-02T08:00:00Z',
  });

const backupDatabase = { agent_id: 'paris-01', company_name: CANARY, city: CANARY, neighborhood: CANARY };

const backupJob = async (world: World, { tenant_id }: Cast): Promise<Victim> => ({
  table: 'backup_jobs',
  id: await addJob(world, tenant_id, { ...backupDatabase, database_name: `${CANARY}-${randomUUID()}` }),
});

const backupEntry = async (world: World, { tenant_id }: Cast): Promise<Victim> => ({
  table: 'backup_entries',
  id: await addEntry(world, tenant_id, {
    ...backupDatabase,
    database_name: CANARY,
    error_msg: CANARY,
    report_id: await addReport(world, tenant_id, { file_name: CANARY, content: { text: CANARY } }),
    // Recent, because the board shows it, too.
    effective_at: new Date(),
    verdict: null,
  }),
});

/** By the path up to its first id. */
export const CASES: Readonly<Record<string, Case>> = {
  '/api/v1/deadlines': dueItem('deadlines'),
  '/api/v1/documents': dueItem('document_requests'),
  '/api/v1/tasks': dueItem('tasks'),
  '/api/v1/tickets': dueItem('tickets'),
  '/api/v1/me/sessions': {
    create: async (world, { tenant_id, admin }) => {
      const [row] = await world.sql<{ family: string }>(
        `INSERT INTO sessions (tenant_id, user_id, token_hash, created_at, expires_at, user_agent)
         VALUES ($1, $2, '', now(), now() + interval '1 day', $3) RETURNING family`,
        [tenant_id, admin.id, CANARY],
      );
      return { table: 'sessions', id: row!.family, column: 'family' };
    },
    personal: true,
  },
  '/api/v1/me/devices': {
    create: (world, { tenant_id, admin }) =>
      insert(world, 'devices', {
        tenant_id,
        user_id: admin.id,
        platform: 'fcm',
        fingerprint: randomBytes(32),
        token: CANARY,
        name: CANARY,
        created_at: '2026-03-02T08:00:00Z',
        seen_at: '2026-03-02T08:00:00Z',
      }),
    personal: true,
  },
  '/api/v1/users': {
    create: (world, { tenant_id }) =>
      insert(world, 'users', {
        tenant_id,
        email: `${CANARY}-${randomUUID()}@example.com`,
        name: CANARY,
        role: 'member',
      }),
    bodies: {
      PATCH: { name: 'taken' },
      POST: { frequency_days: 7, channels: ['email'] },
      PUT: { preferences: [] },
    },
  },
  '/api/v1/reminders': {
    personal: true,
    create: (world, { tenant_id, admin }) =>
      insert(world, 'reminders', {
        tenant_id,
        user_id: admin.id,
        frequency_days: 7,
        local_time: '09:00',
        starts_on: '2026-03-02',
        message: CANARY,
        channels: '[{"channel": "email", "enabled": true}]',
        mode: 'all',
        active: false,
        created_at: '2026-03-02T08:00:00Z',
        updated_at: '2026-03-02T08:00:00Z',
      }),
    bodies: { PATCH: { active: true } },
  },
  '/api/v1/tenant/api-keys': {
    create: (world, { tenant_id }) =>
      insert(world, 'api_keys', {
        tenant_id,
        name: CANARY,
        key_hash: randomBytes(32),
        scopes: ['watched:read'],
        created_at: '2026-03-02T08:00:00Z',
      }),
  },
  '/api/v1/admin/privacy/erasures': {
    create: (world, { tenant_id }) =>
      insert(world, 'erasures', {
        tenant_id,
        requested_by: CANARY,
        state: 'succeeded',
        created_at: '2026-03-02T08:00:00Z',
        finished_at: '2026-03-02T08:00:00Z',
      }),
  },
  '/api/v1/tenant/stopped-addresses': {
    create: (world, { tenant_id }) =>
      insert(world, 'stopped_addresses', {
        tenant_id,
        channel: 'email',
        address: `${CANARY}-${randomUUID()}@client.example`,
        reason: 'stop',
        since: '2026-03-02T08:00:00Z',
      }),
  },
  '/api/v1/tenant/webhooks': {
    create: (world, { tenant_id }) => {
      const id = randomUUID();
      const secrets = world.app.get(EndpointSecrets, { strict: false });
      return insert(world, 'webhook_endpoints', {
        tenant_id,
        id,
        // Never called: the guard refuses it.
        url: secrets.encrypt('url', tenant_id, id, 'https://127.0.0.1/'),
        url_shown: `https://${CANARY}.example/`,
        format: 'standard',
        secret: secrets.encrypt('secret', tenant_id, id, newSecret()),
        description: CANARY,
        state_since: '2026-03-02T08:00:00Z',
        created_at: '2026-03-02T08:00:00Z',
      });
    },
    bodies: { PATCH: { description: 'taken' } },
  },
  '/api/v1/imports': {
    create: (world, { tenant_id }) =>
      insert(world, 'imports', {
        tenant_id,
        kind: 'tasks',
        state: 'staged',
        format: 'csv',
        error: CANARY,
        lease_until: '2026-03-02T08:00:00Z',
        created_by: 'user:nobody',
        created_at: '2026-03-02T08:00:00Z',
      }),
  },
  '/api/v1/backups/jobs': {
    create: backupJob,
    bodies: { PATCH: { city: 'taken' }, POST: { text: 'taken' } },
  },
  '/api/v1/backups/notes': {
    create: async (world, cast) => {
      const { id: job_id } = await backupJob(world, cast);
      const { tenant_id } = cast;
      return insert(world, 'backup_notes', {
        tenant_id,
        job_id,
        text: CANARY,
        created_at: '2026-03-02T08:00:00Z',
      });
    },
  },
  '/api/v1/backups/entries': { create: backupEntry },
  '/api/v1/alerts': {
    create: (world, { tenant_id }) =>
      insert(world, 'alerts', {
        tenant_id,
        kind: 'tasks_overdue',
        severity: 'warning',
        source_type: 'task',
        source_id: randomUUID(),
        dedupe_key: randomUUID(),
        data: { title: CANARY },
        first_seen_at: '2026-03-02T08:00:00Z',
        last_seen_at: '2026-03-02T08:00:00Z',
      }),
    bodies: { POST: { until: null } },
  },
  '/api/v1/notifications': {
    personal: true,
    create: (world, cast) => notification(world, cast),
  },
  '/api/v1/deliveries': {
    personal: true,
    create: async (world, cast) =>
      insert(world, 'deliveries', {
        tenant_id: cast.tenant_id,
        notification_id: (await notification(world, cast)).id,
        recipient: `user:${cast.admin.id}`,
        critical: false,
        channel: 'email',
        address: `${CANARY}@example.com`,
        error: CANARY,
        due_at: '2026-03-02T08:00:00Z',
        created_at: '2026-03-02T08:00:00Z',
      }),
  },
};

/** Path parameters that are not ids. */
export const NO_IDS: Readonly<Record<string, string>> = {
  job: 'the name of a job, the same for everyone',
  queue: 'the name of a queue, the same for everyone',
  kind: 'the name of a kind, the same for everyone',
  locale: 'the name of a language, the same for everyone',
  provider: 'the name of a provider, the same for everyone',
  token: 'a credential, not an id',
};
