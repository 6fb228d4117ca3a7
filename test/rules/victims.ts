import { randomUUID } from 'node:crypto';
import type { Cast } from '../support/cast.js';
import type { World } from '../support/world.js';

/** In every text of a victim: it must never reach somebody else. */
export const CANARY = 'canary-of-cabinet-martin';

/** Somebody's row, whose id others try. */
export interface Victim {
  table: string;
  id: string;
}

/** How the routes under a path are tried. A new path with an id in it needs an entry here. */
export interface Case {
  /** A row of the cast's tenant (of its admin, where it belongs to one user). */
  create: (world: World, cast: Cast) => Promise<Victim>;
  /** A body that the route accepts, by method. */
  bodies?: Partial<Record<string, unknown>>;
  /** Whether only one user of the tenant may see it. */
  personal?: boolean;
}

async function insert(world: World, table: string, row: Record<string, unknown>): Promise<Victim> {
  const columns = Object.keys(row);
  const [created] = await world.sql<{ id: string }>(
    `INSERT INTO ${table} (${columns.join(', ')})
     VALUES (${columns.map((_column, position) => `$${position + 1}`).join(', ')}) RETURNING id`,
    Object.values(row),
  );
  return { table, id: created!.id };
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
    title: CANARY,
    body: CANARY,
    data: { text: CANARY },
    seq: 1,
    created_at: '2026-03-02T08:00:00Z',
  });

const backupDatabase = { agent_id: 'paris-01', company_name: CANARY, city: CANARY, neighborhood: CANARY };

const backupEntry = async (world: World, { tenant_id }: Cast): Promise<Victim> => {
  const at = '2026-03-02T01:00:00Z';
  const report = await insert(world, 'backup_reports', {
    tenant_id,
    agent_id: backupDatabase.agent_id,
    source: 'file',
    file_name: CANARY,
    content_sha256: randomUUID(),
    state: 'accepted',
    operation_timestamp_utc: at,
    content: { text: CANARY },
    received_at: at,
  });
  return insert(world, 'backup_entries', {
    tenant_id,
    report_id: report.id,
    ...backupDatabase,
    database_name: CANARY,
    error_msg: CANARY,
    // Recent: the board shows it too.
    effective_at: new Date(),
    wait_until: at,
    created_at: at,
  });
};

/** By the path up to its first id. */
export const CASES: Readonly<Record<string, Case>> = {
  '/api/v1/deadlines': dueItem('deadlines'),
  '/api/v1/documents': dueItem('document_requests'),
  '/api/v1/tasks': dueItem('tasks'),
  '/api/v1/users': {
    create: (world, { tenant_id }) =>
      insert(world, 'users', {
        tenant_id,
        email: `${CANARY}-${randomUUID()}@example.com`,
        name: CANARY,
        role: 'member',
      }),
    bodies: { PATCH: { name: 'taken' } },
  },
  '/api/v1/imports': {
    create: (world, { tenant_id }) =>
      insert(world, 'imports', {
        tenant_id,
        kind: 'tasks',
        state: 'failed',
        format: 'csv',
        error: CANARY,
        lease_until: '2026-03-02T08:00:00Z',
        created_by: 'user:nobody',
        created_at: '2026-03-02T08:00:00Z',
        finished_at: '2026-03-02T08:00:00Z',
      }),
  },
  '/api/v1/backups/jobs': {
    create: (world, { tenant_id }) =>
      insert(world, 'backup_jobs', {
        tenant_id,
        ...backupDatabase,
        database_name: `${CANARY}-${randomUUID()}`,
        expected_time: '02:00',
        days_of_week: [1],
        grace_minutes: 120,
        expected_after: '2026-03-02T08:00:00Z',
        created_at: '2026-03-02T08:00:00Z',
        updated_at: '2026-03-02T08:00:00Z',
      }),
    bodies: { PATCH: { city: 'taken' } },
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
        title: CANARY,
        first_seen_at: '2026-03-02T08:00:00Z',
        last_seen_at: '2026-03-02T08:00:00Z',
      }),
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

/** Parameters of paths that are no ids. */
export const NO_IDS: Readonly<Record<string, string>> = {
  job: 'the name of a job, the same for everyone',
  queue: 'the name of a queue, the same for everyone',
};
