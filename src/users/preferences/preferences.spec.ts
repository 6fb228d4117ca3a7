import { addPerson, addTenant, createCast, type Person } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { UserEvents } from '../user-events.js';

const clock = new FixedClock('2026-03-30T07:00:00Z');
let world: World;
let admin: Person;
let member: Person;
const announced: string[] = [];

beforeAll(async () => {
  world = await createWorld({ clock });
  await createCast(world);
  world.app.get(UserEvents, { strict: false }).onPreferencesChanged((_tx, id) => {
    announced.push(id);
    return Promise.resolve();
  });
});
afterAll(() => world.close());
beforeEach(async () => {
  announced.length = 0;
  const tenant = await addTenant(world);
  admin = await addPerson(world, tenant.id, { name: 'Jeanne', role: 'admin' });
  member = await addPerson(world, tenant.id, { name: 'Marc' });
});

interface Shown {
  kind: string;
  channel: string;
  enabled: boolean;
  source: string;
  locked: boolean;
  critical_enabled: boolean;
}

const call = (method: string, path: string, body?: unknown, token = admin.token) =>
  world.http(method, `/api/v1/${path}`, { token, body });
const put = (body: object, token = admin.token) =>
  call('PUT', 'preferences', { preferences: [], ...body }, token);
const pointers = (body: { errors?: { pointer: string }[] }) => body.errors?.map(({ pointer }) => pointer);
const shownTo = async (who: Person, path = 'preferences') =>
  ((await call('GET', path, undefined, who.token)).body as { preferences: Shown[] }).preferences;
const find = (shown: Shown[], kind: string, channel = 'email') =>
  shown.find((each) => each.kind === kind && each.channel === channel);
const NO_HOURS = { quiet_hours: null, receiving_hours: null, paused_until: null, bundling: null };

const OPTIONAL =
  'deadline_near documents_missing tasks_overdue weekly_summary event message reminder backup_alert backup_recovered backup_damaged backup_report_rejected backup_agent_silent backup_agent_back webhook_failing webhook_disabled address_stopped'.split(
    ' ',
  );
const LOCKED = 'welcome password_reset password_changed email_changed test'.split(' ');

describe('E6: a user’s preferences', () => {
  it('E6: are all on except text messages, at any hour, by default; the others are read-only', async () => {
    const { preferences, ...hours } = (await call('GET', 'preferences')).body as { preferences: Shown[] };
    expect(hours).toEqual(NO_HOURS);
    const shown = { source: 'default', critical_enabled: true, enabled: true };
    expect(preferences).toHaveLength(OPTIONAL.length * 3 + LOCKED.length);
    for (const kind of OPTIONAL) {
      expect(preferences.filter((each) => each.kind === kind)).toEqual([
        { kind, channel: 'email', ...shown, locked: false },
        // Text messages cost money: they are off until somebody chooses them.
        { kind, channel: 'sms', ...shown, enabled: false, critical_enabled: false, locked: false },
        { kind, channel: 'push', ...shown, locked: false },
      ]);
    }
    for (const kind of LOCKED) {
      expect(preferences.filter((each) => each.kind === kind)).toEqual([
        { kind, channel: 'email', ...shown, locked: true },
      ]);
    }
  });

  it('E6: are replaced as a whole; null and an omitted kind return to the default', async () => {
    const quiet_hours = { from: '20:00', to: '07:30' };
    const off = { kind: 'tasks_overdue', channel: 'email', enabled: false };
    const answer = await put({ preferences: [off], quiet_hours });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ ...NO_HOURS, quiet_hours });
    expect((await call('GET', 'preferences')).body).toEqual(answer.body);
    expect(find(await shownTo(admin), 'tasks_overdue')).toMatchObject({
      enabled: false,
      source: 'user',
      critical_enabled: true,
    });
    expect(announced).toEqual([admin.id]);
    await put({
      preferences: [
        { ...off, kind: 'event' },
        { ...off, enabled: null },
      ],
    });
    const shown = await shownTo(admin);
    expect(shown.filter(({ source }) => source === 'user').map(({ kind }) => kind)).toEqual(['event']);
    expect(find(shown, 'tasks_overdue')).toMatchObject({ enabled: true, source: 'default' });
    expect((await call('GET', 'preferences')).body).toMatchObject(NO_HOURS);
  });

  it('are never mixed by concurrent writes', async () => {
    const kinds = ['deadline_near', 'documents_missing', 'tasks_overdue', 'weekly_summary'];
    const answers = await Promise.all(
      kinds.map((kind) =>
        put({
          preferences: [{ kind, channel: 'email', enabled: false }],
          quiet_hours: { from: '20:00', to: '07:30' },
        }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(kinds.map(() => 200));
    expect((await shownTo(admin)).filter(({ source }) => source === 'user')).toHaveLength(1);
  });

  it('E6: keep hours by weekday and a pause', async () => {
    const receiving_hours = [
      { days: [1, 2, 3, 4, 5], from: '08:00', to: '19:00' },
      { days: [6], from: '10:00', to: '24:00' },
    ];
    const body = { receiving_hours, paused_until: '2026-04-13' };
    expect((await put(body)).body).toMatchObject({ ...NO_HOURS, ...body });
    expect((await call('GET', 'preferences')).body).toMatchObject({ ...NO_HOURS, ...body });
    // The pause has ended on its day.
    await world.sql(`UPDATE quiet_hours SET paused_until = '2026-03-30' WHERE user_id = $1`, [admin.id]);
    expect((await call('GET', 'preferences')).body).toMatchObject({ receiving_hours, paused_until: null });
    await world.sql(`UPDATE quiet_hours SET paused_until = '2026-03-31' WHERE user_id = $1`, [admin.id]);
    expect((await call('GET', 'preferences')).body).toMatchObject({ paused_until: '2026-03-31' });
  });

  it('E6: a pause ends after today in the user’s zone, and within 366 days', async () => {
    await call('PATCH', 'me', { time_zone: 'Pacific/Auckland' });
    // 30 March 2026, 20:00 there.
    const refused: [string, RegExp][] = [
      ['2026-03-30', /must be after today, 2026-03-30 in Pacific\/Auckland/],
      ['2026-03-29', /must be after today/],
      ['1999-12-31', /must be after today/],
      ['2027-04-01', /within 366 days: 2027-03-31 at the latest/],
      ['2100-01-01', /within 366 days/],
    ];
    for (const [paused_until, detail] of refused) {
      const { status, body } = await put({ paused_until });
      expect([paused_until, status, pointers(body)]).toEqual([paused_until, 400, ['/paused_until']]);
      expect((body as { errors: { detail: string }[] }).errors[0]!.detail).toMatch(detail);
    }
    for (const paused_until of ['2026-03-31', '2027-03-31'])
      expect((await put({ paused_until })).body).toMatchObject({ paused_until });
  });

  it('E6: are checked, each fault at its place', async () => {
    const fine = { kind: 'event', channel: 'email', enabled: true };
    const hours = { days: [1], from: '08:00', to: '19:00' };
    const receiving = (change: object) => ({ receiving_hours: [hours, { ...hours, ...change }] });
    const faults: [object, string][] = [
      [{ preferences: [{ ...fine, kind: 'welcome' }] }, '/preferences/0/kind'],
      [{ preferences: [{ ...fine, kind: 'pigeon_arrived' }] }, '/preferences/0/kind'],
      [{ preferences: [{ ...fine, kind: null }] }, '/preferences/0/kind'],
      [{ preferences: [{ ...fine, kind: '__proto__' }] }, '/preferences/0/kind'],
      [{ preferences: [fine, { ...fine, channel: 'pigeon' }] }, '/preferences/1/channel'],
      [{ preferences: [{ ...fine, channel: 'webhook' }] }, '/preferences/0/channel'],
      [{ preferences: [{ ...fine, enabled: 'no' }] }, '/preferences/0/enabled'],
      [{ preferences: [{ ...fine, locked: false }] }, '/preferences/0/locked'],
      [{ preferences: [fine, fine] }, '/preferences'],
      [{ preferences: [null] }, '/preferences'],
      [{ preferences: ['event'] }, '/preferences'],
      [{ preferences: {} }, '/preferences'],
      [{ preferences: undefined }, '/preferences'],
      [{ quiet_hours: { from: '20:00', to: '20:00' } }, '/quiet_hours/to'],
      [{ quiet_hours: { from: '20:00', to: '24:00' } }, '/quiet_hours/to'],
      [{ quiet_hours: { from: '20:00' } }, '/quiet_hours/to'],
      [{ quiet_hours: 'night' }, '/quiet_hours'],
      [receiving({ from: '8:00' }), '/receiving_hours/1/from'],
      [receiving({ from: '24:00' }), '/receiving_hours/1/from'],
      [receiving({ to: '19:60' }), '/receiving_hours/1/to'],
      [receiving({ to: '08:00' }), '/receiving_hours/1/to'],
      [receiving({ days: ['monday'] }), '/receiving_hours/1/days'],
      [receiving({ days: [0] }), '/receiving_hours/1/days'],
      [receiving({ days: [8] }), '/receiving_hours/1/days'],
      [receiving({ days: [1, 1] }), '/receiving_hours/1/days'],
      [receiving({ days: [] }), '/receiving_hours/1/days'],
      [receiving({ days: 'weekdays' }), '/receiving_hours/1/days'],
      [{ receiving_hours: [] }, '/receiving_hours'],
      [{ receiving_hours: { monday: hours } }, '/receiving_hours'],
      [{ receiving_hours: Array<object>(15).fill(hours) }, '/receiving_hours'],
      [{ paused_until: '2026-02-30' }, '/paused_until'],
      [{ paused_until: '2026-04-13T00:00:00Z' }, '/paused_until'],
      [{ paused_until: 'tomorrow' }, '/paused_until'],
      [{ paused_until: 20260413 }, '/paused_until'],
    ];
    for (const [fault, pointer] of faults) {
      const answer = await put({ preferences: [fine], ...fault });
      expect([fault, answer.status, pointers(answer.body)?.[0]]).toEqual([
        fault,
        400,
        expect.stringContaining(pointer),
      ]);
    }
    expect(announced).toEqual([]);
  });

  it('E6: says that a mandatory kind is read-only', async () => {
    const { body } = await put({
      preferences: [{ kind: 'password_reset', channel: 'email', enabled: false }],
    });
    expect((body as { errors: object[] }).errors).toEqual([
      {
        pointer: '/preferences/0/kind',
        detail: 'kind "password_reset" is read-only: these messages are always sent',
      },
    ]);
  });
});

describe('E6: a tenant’s defaults', () => {
  const choose = (preferences: object[], token = admin.token) =>
    call('PUT', 'tenant/preferences', { preferences }, token);

  it('E6: apply to users who have not chosen, and are shown with their source', async () => {
    const own = { kind: 'event', channel: 'email', enabled: true };
    await put({ preferences: [own] });
    const answer = await choose([
      { kind: 'event', channel: 'email', enabled: false },
      { kind: 'event', channel: 'sms', enabled: true },
    ]);
    expect(answer.status).toBe(200);
    expect(await shownTo(admin, 'tenant/preferences')).toEqual(
      (answer.body as { preferences: Shown[] }).preferences,
    );
    expect(find(await shownTo(admin, 'tenant/preferences'), 'event')).toMatchObject({
      enabled: false,
      source: 'tenant',
      critical_enabled: true,
    });
    const [hers, his] = [await shownTo(admin), await shownTo(member)];
    expect(find(hers, 'event')).toMatchObject({ enabled: true, source: 'user' });
    expect(find(his, 'event')).toMatchObject({ enabled: false, source: 'tenant' });
    expect(find(his, 'event', 'sms')).toMatchObject({
      enabled: true,
      source: 'tenant',
      critical_enabled: true,
    });
    expect(find(his, 'tasks_overdue')).toMatchObject({ enabled: true, source: 'default' });
    // Back to the tenant's.
    await put({ preferences: [{ ...own, enabled: null }] });
    expect(find(await shownTo(admin), 'event')).toMatchObject({ enabled: false, source: 'tenant' });
    await choose([]);
    expect(find(await shownTo(member), 'event')).toMatchObject({ enabled: true, source: 'default' });
  });

  it('E6: belong to one tenant and its admins', async () => {
    const other = await addTenant(world);
    const outsider = await addPerson(world, other.id, { name: 'Olga', role: 'admin' });
    await choose([{ kind: 'event', channel: 'email', enabled: false }]);
    expect(find(await shownTo(outsider), 'event')).toMatchObject({ source: 'default' });
    expect((await choose([], member.token)).status).toBe(403);
    expect((await call('GET', 'tenant/preferences', undefined, member.token)).status).toBe(403);
  });

  it('E6: are recorded in the audit log, with the names of what changed', async () => {
    await choose([{ kind: 'event', channel: 'email', enabled: false }]);
    await choose([
      { kind: 'event', channel: 'email', enabled: false },
      { kind: 'message', channel: 'push', enabled: false },
    ]);
    const rows = await world.sql(
      `SELECT actor, status, changed FROM audit_log
       WHERE tenant_id = $1 AND action = 'PUT /api/v1/tenant/preferences' ORDER BY id`,
      [admin.tenant_id],
    );
    expect(rows).toMatchObject([
      { actor: `user:${admin.id}`, status: 200, changed: ['event.email'] },
      { actor: `user:${admin.id}`, status: 200, changed: ['message.push'] },
    ]);
  });

  it('E6: are checked, each fault at its place', async () => {
    const fine = { kind: 'event', channel: 'email', enabled: true };
    const faults: [unknown[], string][] = [
      [[{ ...fine, kind: 'welcome' }], '/preferences/0/kind'],
      [[{ ...fine, kind: 'pigeon_arrived' }], '/preferences/0/kind'],
      [[{ ...fine, channel: 'pigeon' }], '/preferences/0/channel'],
      [[{ ...fine, enabled: null }], '/preferences/0/enabled'],
      [[fine, fine], '/preferences'],
      [Array<object>(100).fill(fine), '/preferences'],
    ];
    for (const [preferences, pointer] of faults) {
      const answer = await call('PUT', 'tenant/preferences', { preferences });
      expect([answer.status, pointers(answer.body)?.[0]]).toEqual([400, expect.stringContaining(pointer)]);
    }
    expect((await call('PUT', 'tenant/preferences', {})).status).toBe(400);
  });

  it('E6: are never mixed by concurrent writes', async () => {
    const kinds = ['deadline_near', 'documents_missing', 'tasks_overdue', 'weekly_summary'];
    const answers = await Promise.all(
      kinds.map((kind) => choose([{ kind, channel: 'email', enabled: false }])),
    );
    expect(answers.map(({ status }) => status)).toEqual(kinds.map(() => 200));
    const shown = await shownTo(admin, 'tenant/preferences');
    expect(shown.filter(({ source }) => source === 'tenant')).toHaveLength(1);
  });
});
