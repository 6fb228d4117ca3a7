import { randomUUID } from 'node:crypto';
import { addPerson, type CastTenant, type Person } from '../../../test/support/cast.js';
import { insertRow, type Row } from '../../../test/support/rows.js';
import type { World } from '../../../test/support/world.js';
import { NOW } from '../archives/archives.fixture.js';

export const NAME = 'Zerbinette Canari';
export const EMAIL = 'canari@zerbinette.example';
export const PHONE = '+33698765432';
/** In no export. */
export const SECRET = 'secret-of-zerbinette';

export const OLD = new Date(Date.parse(NOW) - 400 * 86_400_000);
export const WITH_ALL = `${NAME}, ${EMAIL}, ${PHONE}`;

/** Inserts a row without an id of its own. */
export async function insert(world: World, table: string, row: Row): Promise<void> {
  const columns = Object.keys(row);
  await world.sql(
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map((_column, at) => `$${at + 1}`).join(', ')})`,
    Object.values(row),
  );
}

/** A user whose name and addresses are in every place where they can be. `admin` is somebody else. */
export async function addCanary(world: World, tenant: CastTenant, admin: Person): Promise<Person> {
  const tenant_id = tenant.id;
  const person = await addPerson(world, tenant_id, { name: NAME, email: EMAIL });
  const user_id = person.id;
  await world.sql(`UPDATE users SET phone = $2 WHERE id = $1`, [user_id, PHONE]);
  await insert(world, 'preferences', { tenant_id, user_id, kind: 'event', channel: 'sms', enabled: true });
  await insertRow(world, 'devices', {
    tenant_id,
    user_id,
    platform: 'fcm',
    fingerprint: Buffer.from(randomUUID()),
    token: SECRET,
    name: `Phone of ${NAME}`,
    created_at: NOW,
    seen_at: NOW,
  });
  await addMessage(world, tenant_id, `user:${user_id}`, { user_id });
  await addMessage(world, tenant_id, `user:${user_id}`, { user_id, created_at: OLD });
  await addMessage(world, tenant_id, `mailto:${EMAIL}`, {});
  await addMessage(world, tenant_id, `user:${admin.id}`, { user_id: admin.id });
  await insertRow(world, 'alerts', {
    tenant_id,
    kind: 'task_due_soon',
    dedupe_key: randomUUID(),
    severity: 'warning',
    source_type: 'task',
    data: { responsible: WITH_ALL },
    first_seen_at: NOW,
    last_seen_at: NOW,
  });
  await insertRow(world, 'stopped_addresses', {
    tenant_id,
    channel: 'email',
    address: EMAIL,
    reason: 'hard_bounce',
    since: NOW,
  });
  await insertRow(world, 'reminders', {
    tenant_id,
    user_id,
    frequency_days: 7,
    local_time: '08:00',
    starts_on: '2026-06-01',
    message: `Call ${NAME}`,
    channels: [],
    mode: 'all',
    active: false,
    created_at: NOW,
    updated_at: NOW,
  }).catch((error: unknown) => {
    throw new Error('reminders', { cause: error });
  });
  await insertRow(world, 'tasks', {
    tenant_id,
    title: 'Accounts 2025',
    due_on: '2026-07-01',
    responsible_id: user_id,
  });
  await addImport(world, tenant_id, user_id);
  await insert(world, 'idempotency_keys', {
    tenant_id,
    principal: `user:${admin.id}`,
    key: randomUUID(),
    request_hash: Buffer.from('x'),
    response: { status: 201, body: { email: EMAIL, name: NAME, phone: PHONE } },
    created_at: NOW,
  });
  await insertRow(world, 'audit_log', {
    tenant_id,
    id: randomUUID(),
    actor: `user:${user_id}`,
    actor_kind: 'user',
    action: 'PATCH /api/v1/me',
    targets: {},
    at: NOW,
    request_id: 'test',
  });
  return person;
}

/** A notification of the recipient with a delivery and what became of it; each names the canary. */
export async function addMessage(
  world: World,
  tenant_id: string,
  recipient: string,
  more: Row,
): Promise<void> {
  const created_at = more.created_at ?? NOW;
  const notification_id = await insertRow(world, 'notifications', {
    tenant_id,
    recipient,
    dedupe_key: randomUUID(),
    kind: 'event',
    severity: 'info',
    data: { kind: 'test', title: `For ${NAME}`, body: `Write to "${EMAIL}"\nor call ${PHONE}` },
    audience: 'addressed',
    created_at,
    read_at: created_at,
    ...more,
  });
  const delivery_id = await insertRow(world, 'deliveries', {
    tenant_id,
    notification_id,
    recipient,
    critical: false,
    channel: 'email',
    address: more.user_id === undefined || recipient.includes('canari') ? EMAIL : 'alice@example.com',
    state: 'sent',
    error: `450 ${EMAIL} is busy`,
    sent_subject: `For ${NAME}`,
    sent_text: `Write to ${EMAIL} or call ${PHONE}`,
    due_at: created_at,
    due_since: created_at,
    created_at,
    sent_at: created_at,
    ended_at: created_at,
  });
  await insert(world, 'delivery_events', {
    tenant_id,
    delivery_id,
    event: 'retried',
    attempt: 1,
    error: `450 ${EMAIL} is busy`,
    at: created_at,
  });
  await insert(world, 'provider_events', {
    tenant_id,
    delivery_id,
    provider: 'generic',
    event_key: delivery_id,
    event: 'delivered',
    detail: `delivered to ${EMAIL}`,
    at: created_at,
    received_at: created_at,
  });
}

async function addImport(world: World, tenant_id: string, user_id: string): Promise<void> {
  const import_id = await insertRow(world, 'imports', {
    tenant_id,
    kind: 'tasks',
    format: 'csv',
    state: 'staged',
    lines: 1,
    created: 1,
    lease_until: NOW,
    created_by: `user:${user_id}`,
    created_at: NOW,
  });
  const row = { tenant_id, import_id };
  await insert(world, 'import_rows', { ...row, line: 2, fields: { responsible_email: EMAIL, title: NAME } });
  await insert(world, 'import_faults', {
    ...row,
    line: 3,
    field: 'responsible',
    detail: `${WITH_ALL} is no user`,
  });
  await insert(world, 'import_changes', {
    ...row,
    place: 1,
    outcome: 'created',
    title: NAME,
    before: {},
    after: { responsible_email: EMAIL },
  });
}
