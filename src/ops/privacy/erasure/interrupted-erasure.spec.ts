import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { addPerson, addTenant, type CastTenant, type Person } from '../../../../test/support/cast.js';
import { insertRow } from '../../../../test/support/rows.js';
import { until } from '../../../../test/support/until.js';
import { runJob } from '../../../../test/support/watched.js';
import { environmentOf } from '../../../../test/support/world.js';
import { verifyArchives } from '../../../cli/archives.js';
import type { DeliveryJob } from '../../../contracts/jobs.js';
import { Leases } from '../../../delivery/sending/leases.js';
import type { Outcome } from '../../../delivery/sending/outcome.js';
import { type ArchiveStage, archiveStage, NOW } from '../../archives/archives.fixture.js';
import { Restoring } from '../../archives/restoring.js';
import { ArchiveCatalog } from '../../archives/archive-catalog.js';
import { TenantDirectory } from '../../../tenants/tenant-directory.js';
import { addCanary, addMessage, EMAIL, NAME, OLD } from '../privacy.fixture.js';
import { archivesOf, tracesIn } from './erasure.fixture.js';
import type { Erasure } from './erasure.js';
import { Erasures } from './erasures.service.js';

let stage: ArchiveStage;
let tenant: CastTenant;
let admin: Person;
let person: Person;

beforeAll(async () => {
  stage = await archiveStage();
});
afterAll(() => stage.close());

beforeEach(async () => {
  tenant = await addTenant(stage.world);
  admin = await addPerson(stage.world, tenant.id, { name: 'Alice', role: 'admin' });
  person = await addCanary(stage.world, tenant, admin);
  await addMessage(stage.world, tenant.id, `user:${admin.id}`, { user_id: admin.id, created_at: OLD });
  await runJob(stage.world, tenant.id, 'cleanup');
});

const begin = async (): Promise<Erasure> =>
  (
    await stage.world.http('POST', '/api/v1/admin/privacy/erase', {
      token: admin.token,
      body: { user_id: person.id },
    })
  ).body as Erasure;
const finish = (id: string): Promise<Erasure> =>
  stage.world.app.get(Erasures, { strict: false }).finish(tenant.id, id);
const archives = () => archivesOf(stage, tenant.slug);
const verified = async () =>
  (
    await verifyArchives({ ...environmentOf(stage.world), ...stage.environment }, undefined, {
      tenant: tenant.slug,
    })
  ).ok;
const traces = () => tracesIn(stage.world, tenant.id);

/** The next step fails once: PostgreSQL refuses what it commits. */
async function failingOnce(table: string, condition: string, work: () => Promise<void>): Promise<void> {
  await stage.world.sql(`ALTER TABLE ${table} ADD CONSTRAINT refuses CHECK (${condition}) NOT VALID`);
  try {
    await work();
  } finally {
    await stage.world.sql(`ALTER TABLE ${table} DROP CONSTRAINT refuses`);
  }
}

it('continues after a failure in the middle, in a worker, without loss or repetition', async () => {
  const { id } = await begin();
  await failingOnce('alerts', `position('…' in data::text) = 0`, async () => {
    expect(await finish(id)).toMatchObject({
      state: 'running',
      step: 'texts_of_alerts',
      waiting_for: 'failure',
    });
  });
  await stage.world.sql(`UPDATE erasures SET next_at = now() WHERE id = $1`, [id]);
  const worker = await archiveStage({ VIGIE_ROLES: 'worker', VIGIE_DATA_DIR: stage.data_dir }, stage.world);
  try {
    const done = await until('the worker finishes it', async () => {
      const [row] = await stage.world.sql<{ state: string; counts: Record<string, number> }>(
        `SELECT state, counts FROM erasures WHERE id = $1`,
        [id],
      );
      return row?.state === 'succeeded' ? row : null;
    });
    expect(done.counts).toMatchObject({ deliveries: 3, notifications: 3, alerts: 1, archives: 1 });
  } finally {
    await worker.close();
  }
  expect(await traces()).toEqual([]);
  expect([await verified(), (await archives()).traces]).toEqual([true, 0]);
});

it('an archive is whole at every moment, and its old file is removed in the end', async () => {
  const before = await archives();
  const folder = join(stage.data_dir, 'archives', tenant.slug);
  const old = await Promise.all(
    before.files.map(async (name) => [join(folder, name), await readFile(join(folder, name))] as const),
  );
  const { id } = await begin();
  // The new file has its name, but the commit that names it fails.
  await failingOnce('archives', `sealed_at <> '${stage.clock.now().toISOString()}'`, async () => {
    expect(await finish(id)).toMatchObject({ step: 'archives', waiting_for: 'failure' });
  });
  expect((await archives()).files).toHaveLength(2 * before.files.length);
  expect(await verified()).toBe(true);
  // It is committed, and the process dies before it removes the old one.
  await failingOnce('erasures', `state = 'running'`, async () => {
    expect(await finish(id)).toMatchObject({ step: 'archives', waiting_for: 'failure' });
  });
  for (const [path, content] of old) await writeFile(path, content);
  await stage.world.sql(`UPDATE erasures SET position = ARRAY[$2, $2] WHERE id = $1`, [id, before.files[0]]);
  expect(await verified()).toBe(true);
  expect(await finish(id)).toMatchObject({ state: 'succeeded', counts: { archives: 1 } });
  const after = await archives();
  expect(after).toMatchObject({ traces: 0, rows: before.rows - 4 });
  expect(after.files).toHaveLength(before.files.length);
  expect(await verified()).toBe(true);
});

it('does not hang while others hold a row, and continues when they have let go', async () => {
  const other = new pg.Client({ connectionString: stage.world.config.databaseUrl ?? '' });
  await other.connect();
  const { id } = await begin();
  try {
    await other.query('BEGIN');
    await other.query('SELECT FROM alerts WHERE tenant_id = $1 FOR UPDATE', [tenant.id]);
    expect(await finish(id)).toMatchObject({ step: 'texts_of_alerts', waiting_for: 'locks' });
  } finally {
    await other.end();
  }
  expect(await finish(id)).toMatchObject({ state: 'succeeded', waiting_for: null });
  expect(await traces()).toEqual([]);
});

it('a damaged archive is named, and the rest is erased', async () => {
  await stage.world.sql(`UPDATE archives SET sha256 = repeat('0', 64) WHERE tenant_id = $1`, [tenant.id]);
  const { id } = await begin();
  const [file] = (await archives()).files;
  expect(await finish(id)).toMatchObject({
    state: 'succeeded',
    unreadable_archives: [expect.stringContaining(file!)],
  });
  expect(await traces()).toEqual([]);
});

it('an archive cannot be restored while somebody is being erased', async () => {
  const entry = (await stage.world.app.get(TenantDirectory, { strict: false }).byId(tenant.id))!;
  const [archive] = await stage.world.app.get(ArchiveCatalog, { strict: false }).list(entry);
  const restoring = stage.world.app.get(Restoring, { strict: false });
  const { id } = await begin();
  await expect(restoring.restore(archive!, 10)).rejects.toThrow('a person is being erased');
  await finish(id);
  const [next] = await stage.world.app.get(ArchiveCatalog, { strict: false }).list(entry);
  expect(await restoring.restore(next!, 10)).toMatchObject({ restored: { notifications: 1 } });
  expect(await traces()).toEqual([]);
});

describe('a message that is being sent meanwhile', () => {
  /** A message to the recipient that names the canary, claimed by a worker. */
  async function sending(recipient: string, user_id: string | null): Promise<DeliveryJob> {
    const tenant_id = tenant.id;
    await stage.world.sql(`DELETE FROM stopped_addresses WHERE tenant_id = $1`, [tenant_id]);
    const notification_id = await insertRow(stage.world, 'notifications', {
      tenant_id,
      recipient,
      user_id,
      dedupe_key: randomUUID(),
      kind: 'event',
      severity: 'info',
      data: { kind: 'test', title: `For ${NAME}`, body: EMAIL },
      audience: 'addressed',
      created_at: NOW,
    });
    const lease_token = randomUUID();
    const id = await insertRow(stage.world, 'deliveries', {
      tenant_id,
      notification_id,
      recipient,
      critical: false,
      channel: 'email',
      address: user_id === admin.id ? admin.email : EMAIL,
      state: 'queued',
      lease_token,
      lease_until: '2100-01-01T00:00:00Z',
      due_at: NOW,
      created_at: NOW,
    });
    await stage.world.sql(`UPDATE deliveries SET bundle_id = id WHERE id = $1`, [id]);
    const job = { tenant_id, bundle_id: id, lease_token };
    expect(await leases().claim(job)).toMatchObject({ items: [{ delivery_id: id }] });
    return job;
  }

  const leases = () => stage.world.app.get(Leases, { strict: false });
  const deliveryOf = async ({ bundle_id }: DeliveryJob) =>
    (
      await stage.world.sql(
        `SELECT state, reason, error, sent_text, attempts FROM deliveries WHERE id = $1`,
        [bundle_id],
      )
    )[0];

  const SENT: Outcome = { state: 'sent', provider_id: `<${EMAIL}>`, subject: `For ${NAME}`, text: EMAIL };
  const REFUSED: Outcome = { state: 'failed', error: `550 ${EMAIL} is unknown` };
  const LATER: Outcome = {
    state: 'pending',
    error: `450 ${EMAIL} is busy`,
    delay_ms: 60_000,
    ambiguous: false,
  };

  it.each([
    ['sent', SENT, { state: 'sent', reason: null }],
    ['failed', REFUSED, { state: 'failed', reason: null }],
    ['to be sent again', LATER, { state: 'suppressed', reason: 'user_erased' }],
  ])('to the person, %s: ends once, and brings nothing back', async (_name, outcome, ends) => {
    const job = await sending(`user:${person.id}`, person.id);
    const { id } = await begin();
    expect(await finish(id)).toMatchObject({ state: 'running', waiting_for: 'sending' });
    expect(await leases().record(job, outcome)).toBe(true);
    expect(await leases().record(job, outcome)).toBe(false);
    expect(await finish(id)).toMatchObject({ state: 'succeeded' });
    expect(await deliveryOf(job)).toEqual({ ...ends, error: null, sent_text: null, attempts: 1 });
    expect(await traces()).toEqual([]);
  });

  it('to somebody else, and names the person: its outcome is waited for', async () => {
    const job = await sending(`user:${admin.id}`, admin.id);
    const { id } = await begin();
    expect(await finish(id)).toMatchObject({ waiting_for: 'sending' });
    expect(await leases().record(job, SENT)).toBe(true);
    expect(await finish(id)).toMatchObject({ state: 'succeeded' });
    expect(await deliveryOf(job)).toMatchObject({ state: 'sent', sent_text: '…' });
    expect(await traces()).toEqual([]);
  });
});
