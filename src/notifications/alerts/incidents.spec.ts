import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { addPerson, addTenant } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import type { Locale } from '../../contracts/locales.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { Database } from '../../platform/database/database.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { type Incident, Incidents } from './incidents.js';

const NOW = '2026-03-30T07:00:00.000Z';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SMTP = { SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example' };

const clock = new FixedClock(NOW);
let world: World;

beforeAll(async () => {
  world = await createWorld({ clock, env: { ...SMTP, ADMIN_EMAIL_RECIPIENT: 'Last@Resort.example' } });
});
afterAll(() => world.close());
beforeEach(() => clock.set(NOW));

const incidents = (of: World = world) => of.app.get(Incidents, { strict: false });
const inTenant = <Result>(tenantId: string, work: (tx: TenantTransaction) => Promise<Result>, of = world) =>
  of.app.get(Database).tenant(tenantId, work);

function incident(changes: Partial<Incident<'event'>> = {}): Incident<'event'> {
  return {
    kind: 'event',
    source_type: 'disk',
    source_id: randomUUID(),
    dedupe_key: `disk:${randomUUID()}`,
    severity: 'critical',
    data: { kind: 'disk.full', title: 'Disk full', body: 'Make room.' },
    repeat_after_ms: 24 * HOUR,
    ...changes,
  };
}

const raise = async (tenantId: string, what: Incident<'event'>) => {
  const [raised] = await raiseAll(tenantId, [what]);
  if (raised?.dedupe_key !== what.dedupe_key) throw new Error('not raised');
  const { alert_id, opened, notified: people } = raised;
  return { alert_id, opened, notified: people };
};
const raiseAll = (tenantId: string, all: readonly Incident<'event'>[]) =>
  inTenant(tenantId, (tx) => incidents().raise(tx, all));
const remind = (tenantId: string, what: Incident<'event'>) =>
  inTenant(tenantId, (tx) => incidents().remind(tx, [what]));

const notified = (tenantId: string) =>
  world.sql(
    `SELECT n.recipient, n.data ->> 'title' AS title, d.address, d.channel, d.state
     FROM notifications n LEFT JOIN deliveries d ON d.tenant_id = n.tenant_id AND d.notification_id = n.id
     WHERE n.tenant_id = $1 ORDER BY n.recipient, n.id`,
    [tenantId],
  );
const countNotified = async (tenantId: string) => (await notified(tenantId)).length;
const alerts = (tenantId: string) =>
  world.sql(
    `SELECT state, occurrences, gone_at IS NOT NULL AS gone FROM alerts WHERE tenant_id = $1 ORDER BY id`,
    [tenantId],
  );

describe('V3, B9: the recipients of an incident', () => {
  const announce = async (tenantId: string, locale: Record<string, Locale> = {}) => {
    for (const [email, language] of Object.entries(locale))
      await world.sql('UPDATE users SET locale = $3 WHERE tenant_id = $1 AND email = $2', [
        tenantId,
        email,
        language,
      ]);
    return raise(tenantId, incident());
  };

  it('the tenant’s alert recipients, each in their own language; a user’s address counts as that user', async () => {
    const tenant = await addTenant(world, {
      settings: { alert_recipients: ['ops@host.example', 'BOB@example.com', 'Night.Watch@host.example'] },
    });
    await addPerson(world, tenant.id, { name: 'Alice', role: 'admin' });
    const bob = await addPerson(world, tenant.id, { name: 'Bob' });
    expect(await announce(tenant.id, { 'bob@example.com': 'en' })).toMatchObject({
      opened: true,
      notified: 3,
    });
    expect(await notified(tenant.id)).toEqual([
      {
        recipient: 'mailto:night.watch@host.example',
        title: 'Disk full',
        address: 'Night.Watch@host.example',
        channel: 'email',
        state: 'pending',
      },
      {
        recipient: 'mailto:ops@host.example',
        title: 'Disk full',
        address: 'ops@host.example',
        channel: 'email',
        state: 'pending',
      },
      {
        recipient: `user:${bob.id}`,
        title: 'Disk full',
        address: 'bob@example.com',
        channel: 'email',
        state: 'pending',
      },
    ]);
    const feed = await world.http('GET', '/api/v1/notifications', { token: bob.token });
    expect((feed.body as { data: unknown[] }).data).toMatchObject([
      { title: 'Disk full', body: 'Make room.', data: { kind: 'disk.full' } },
    ]);
  });

  it('another tenant’s user is a bare address here', async () => {
    const elsewhere = await addTenant(world);
    await addPerson(world, elsewhere.id, { name: 'Eve', email: 'eve@example.com' });
    const tenant = await addTenant(world, {
      locale: 'en',
      settings: { alert_recipients: ['eve@example.com'] },
    });
    await announce(tenant.id);
    expect(await notified(tenant.id)).toMatchObject([
      { recipient: 'mailto:eve@example.com', title: 'Disk full' },
    ]);
  });

  it('all admins, and nobody else, if there are no alert recipients', async () => {
    const tenant = await addTenant(world);
    const people = [
      await addPerson(world, tenant.id, { name: 'Ada', role: 'admin' }),
      await addPerson(world, tenant.id, { name: 'Grace', role: 'admin' }),
    ];
    await addPerson(world, tenant.id, { name: 'Bob' });
    await announce(tenant.id, { 'grace@example.com': 'en' });
    const rows = await notified(tenant.id);
    expect(rows).toHaveLength(2);
    expect(rows).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ recipient: `user:${people[0]?.id}`, title: 'Disk full' }),
        expect.objectContaining({ recipient: `user:${people[1]?.id}`, title: 'Disk full' }),
      ]),
    );
  });

  it('ADMIN_EMAIL_RECIPIENT, in the tenant’s language, if there is no admin either', async () => {
    const tenant = await addTenant(world, { locale: 'en' });
    await addPerson(world, tenant.id, { name: 'Bob' });
    await announce(tenant.id);
    expect(await notified(tenant.id)).toMatchObject([
      { recipient: 'mailto:last@resort.example', address: 'Last@resort.example', title: 'Disk full' },
    ]);
  });

  it('without any recipient the alert stays open, and the log says so once', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    const silent = await createWorld({ clock, join: world, env: { ...SMTP, ADMIN_EMAIL_RECIPIENT: '' } });
    const tenant = await addTenant(world);
    for (let times = 0; times < 2; times += 1)
      expect(
        await inTenant(tenant.id, (tx) => incidents(silent).raise(tx, [incident()]), silent),
      ).toMatchObject([{ opened: true, notified: 0 }]);
    await silent.close();
    expect(
      warn.mock.calls.filter(([line]) => (line as { event?: string }).event === 'incident_without_recipient'),
    ).toEqual([[expect.objectContaining({ tenant_id: tenant.id })]]);
    warn.mockRestore();
    expect(await alerts(tenant.id)).toHaveLength(2);
  });

  it('E6: a user’s preference applies unless it is critical, and the suppressed delivery is recorded', async () => {
    const tenant = await addTenant(world);
    const ada = await addPerson(world, tenant.id, { name: 'Ada', role: 'admin' });
    await world.sql(`INSERT INTO preferences VALUES ($1, $2, 'event', 'email', false)`, [tenant.id, ada.id]);
    await inTenant(tenant.id, (tx) => incidents().raise(tx, [incident({ severity: 'warning' })]));
    expect(await notified(tenant.id)).toMatchObject([{ recipient: `user:${ada.id}`, state: 'suppressed' }]);
    await inTenant(tenant.id, (tx) =>
      incidents().raise(tx, [incident({ severity: 'critical', dedupe_key: 'worse' })]),
    );
    const states = (await notified(tenant.id)).map(({ state }) => state as string);
    expect(states.sort()).toEqual(['pending', 'suppressed']);
  });
});

describe('V3: the lifecycle of an incident', () => {
  let tenantId: string;
  beforeEach(async () => {
    tenantId = (await addTenant(world, { settings: { alert_recipients: ['ops@host.example'] } })).id;
  });

  it('opens once, is counted, and is not repeated before its interval', async () => {
    const what = incident();
    const { alert_id } = await raise(tenantId, what);
    clock.advance(23 * HOUR);
    expect(await raise(tenantId, what)).toEqual({ alert_id, opened: false, notified: 0 });
    expect(await countNotified(tenantId)).toBe(1);
    clock.advance(HOUR);
    expect(await raise(tenantId, what)).toEqual({ alert_id, opened: false, notified: 1 });
    expect(await alerts(tenantId)).toEqual([{ state: 'open', occurrences: 3, gone: false }]);
    clock.advance(23 * HOUR);
    expect(await raise(tenantId, what)).toMatchObject({ notified: 0 });
    expect(await countNotified(tenantId)).toBe(2);
  });

  it('a daily job ten minutes early repeats it; eleven minutes early does not', async () => {
    const what = incident();
    await raise(tenantId, what);
    clock.advance(24 * HOUR - 11 * MINUTE);
    expect(await raise(tenantId, what)).toMatchObject({ notified: 0 });
    clock.advance(MINUTE);
    expect(await raise(tenantId, what)).toMatchObject({ notified: 1 });
  });

  it('M1: a repetition supersedes the waiting deliveries of the previous one', async () => {
    const what = incident();
    await raise(tenantId, what);
    clock.advance(24 * HOUR);
    expect(await remind(tenantId, what)).toBe(1);
    clock.advance(24 * HOUR);
    expect(await raise(tenantId, what)).toMatchObject({ notified: 1 });
    expect((await notified(tenantId)).map(({ state }) => state as string)).toEqual([
      'suppressed',
      'suppressed',
      'pending',
    ]);
  });

  it('without an interval is never repeated', async () => {
    const what = incident({ repeat_after_ms: null });
    await raise(tenantId, what);
    clock.advance(1_000 * HOUR);
    expect(await raise(tenantId, what)).toMatchObject({ opened: false, notified: 0 });
    expect(await remind(tenantId, what)).toBe(0);
  });

  it('raised twice at the same instant, or concurrently, is announced once', async () => {
    const what = incident();
    await raise(tenantId, what);
    await raise(tenantId, what);
    clock.advance(24 * HOUR);
    const all = await Promise.all(Array.from({ length: 10 }, () => raise(tenantId, what)));
    expect(all.filter((raised) => raised.notified > 0)).toHaveLength(1);
    expect(await countNotified(tenantId)).toBe(2);
    expect(await alerts(tenantId)).toMatchObject([{ occurrences: 12 }]);
  });

  it('a reminder is announced like a repetition, and counts nothing', async () => {
    const what = incident();
    expect(await remind(tenantId, what)).toBe(0);
    await raise(tenantId, what);
    clock.advance(12 * HOUR);
    expect(await remind(tenantId, what)).toBe(0);
    clock.advance(12 * HOUR);
    expect((await Promise.all([remind(tenantId, what), remind(tenantId, what)])).sort()).toEqual([0, 1]);
    clock.advance(24 * HOUR);
    expect(await remind(tenantId, what)).toBe(1);
    expect(await countNotified(tenantId)).toBe(3);
    expect(await alerts(tenantId)).toMatchObject([{ occurrences: 1 }]);
  });

  it('resolved manually, it stays silent until it has ended', async () => {
    const admin = await addPerson(world, tenantId, { name: 'Ada', role: 'admin' });
    const what = incident();
    const { alert_id } = await raise(tenantId, what);
    // Resolving ends an event; it silences any other kind.
    await world.sql(`UPDATE alerts SET kind = 'backup_alert' WHERE id = $1`, [alert_id]);
    expect(
      (await world.http('POST', `/api/v1/alerts/${alert_id}/resolve`, { token: admin.token })).status,
    ).toBe(200);
    clock.advance(48 * HOUR);
    expect(await raise(tenantId, what)).toMatchObject({ alert_id, opened: false, notified: 0 });
    expect(await remind(tenantId, what)).toBe(0);
    expect(await countNotified(tenantId)).toBe(1);

    expect(await inTenant(tenantId, (tx) => incidents().end(tx, 'disk', [what.source_id]))).toHaveLength(1);
    expect(await raise(tenantId, what)).toMatchObject({ opened: true, notified: 1 });
  });

  it('raised in one call, each follows its own rule: one new, one due again, one known', async () => {
    const [known, due, fresh] = [incident(), incident(), incident()];
    await raise(tenantId, due);
    clock.advance(24 * HOUR);
    await raise(tenantId, known);
    const raised = await raiseAll(tenantId, [known, fresh, due]);
    const outcome = (of: Incident) => raised.find(({ dedupe_key }) => dedupe_key === of.dedupe_key);
    expect(raised).toHaveLength(3);
    expect(outcome(known)).toMatchObject({ opened: false, notified: 0 });
    expect(outcome(due)).toMatchObject({ opened: false, notified: 1 });
    expect(outcome(fresh)).toMatchObject({ opened: true, notified: 1 });
    expect(await countNotified(tenantId)).toBe(4);
    expect(await raiseAll(tenantId, [])).toEqual([]);
    const tooMany = Array.from({ length: 1_001 }, () => incident());
    await expect(raiseAll(tenantId, tooMany)).rejects.toThrow('at most 1000 incidents at once');
  });

  it('raised concurrently in any order, each is announced once', async () => {
    const all = Array.from({ length: 40 }, () => incident());
    const raised = await Promise.all(
      Array.from({ length: 8 }, (_, turn) =>
        raiseAll(tenantId, [...all.slice(turn * 5), ...all.slice(0, turn * 5)]),
      ),
    );
    expect(raised.flat().filter(({ opened }) => opened)).toHaveLength(40);
    expect(await countNotified(tenantId)).toBe(40);
  });

  it('all incidents of a source end together, and unsent deliveries are suppressed', async () => {
    const source_id = randomUUID();
    const first = incident({ source_id });
    const second = incident({ source_id });
    await raise(tenantId, second);
    clock.advance(HOUR);
    await raise(tenantId, first);
    await raise(tenantId, incident());
    const ended = await inTenant(tenantId, (tx) => incidents().end(tx, 'disk', [source_id]));
    expect(ended).toEqual([
      {
        source_id,
        dedupe_key: second.dedupe_key,
        kind: 'event',
        data: second.data,
        first_seen_at: new Date(NOW),
      },
      {
        source_id,
        dedupe_key: first.dedupe_key,
        kind: 'event',
        data: first.data,
        first_seen_at: clock.now(),
      },
    ]);
    expect((await notified(tenantId)).map(({ state }) => state as string).sort()).toEqual([
      'pending',
      'suppressed',
      'suppressed',
    ]);
    expect(await alerts(tenantId)).toEqual([
      { state: 'resolved', occurrences: 1, gone: true },
      { state: 'resolved', occurrences: 1, gone: true },
      { state: 'open', occurrences: 1, gone: false },
    ]);
    expect(await inTenant(tenantId, (tx) => incidents().end(tx, 'disk', [source_id]))).toEqual([]);
  });

  it('an announcement reaches the same people, once per key, without an alert', async () => {
    const message = incident({ dedupe_key: 'well-again', severity: 'info' });
    const announce = () => inTenant(tenantId, (tx) => incidents().announce(tx, [message]));
    expect([await announce(), await announce()]).toEqual([1, 0]);
    expect(await notified(tenantId)).toMatchObject([{ recipient: 'mailto:ops@host.example' }]);
    expect(await alerts(tenantId)).toEqual([]);
  });

  it('another tenant’s incident stays open', async () => {
    const other = await addTenant(world, { settings: { alert_recipients: ['ops@host.example'] } });
    const what = incident();
    await raise(tenantId, what);
    expect(await raise(other.id, what)).toMatchObject({ opened: true, notified: 1 });
    await inTenant(other.id, (tx) => incidents().end(tx, 'disk', [what.source_id]));
    expect(await alerts(tenantId)).toMatchObject([{ gone: false }]);
  });
});
