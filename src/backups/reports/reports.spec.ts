import { type Cast, createCast } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';

const NOW = '2026-03-31T06:00:00.000Z';

/** B2: reports over REST. hostile-reports.spec.ts tests the content of reports, as files and over REST. */
describe('POST backups/reports', () => {
  let world: World;
  let cast: Cast;
  let key: string;

  beforeAll(async () => {
    world = await createWorld({ clock: new FixedClock(NOW) });
    cast = await createCast(world);
    const made = await world.http('POST', `/api/v1/tenants/${cast.tenant_id}/api-keys`, {
      token: cast.operator.token,
      body: { name: 'srv-1', scopes: ['reports:write'], agent_id: 'srv-1' },
    });
    ({ key } = made.body as { key: string });
  });
  afterAll(() => world.close());
  beforeEach(() => world.sql('DELETE FROM backup_reports'));

  const report = (changes: Record<string, unknown> = {}) => ({
    operation_timestamp_utc: '2026-03-31T02:10:00Z',
    agent_id: 'srv-1',
    company_name: 'Boulangerie Martin',
    city: 'Lyon',
    databases: { compta: { status: 'failed', error_msg: 'disk full' }, paie: { status: 'failed' } },
    ...changes,
  });
  const post = (body: unknown, headers: Record<string, string> = { 'x-api-key': key }) =>
    world.http('POST', '/api/v1/backups/reports', { body, headers });
  const entries = () =>
    world.sql(`SELECT tenant_id, database_name FROM backup_entries ORDER BY database_name`);

  it('accepts an agent’s report with its key, for its tenant', async () => {
    expect(await post(report())).toMatchObject({ status: 201, body: { created: true } });
    expect(await entries()).toEqual(
      ['compta', 'paie'].map((database_name) => ({ tenant_id: cast.tenant_id, database_name })),
    );
  });

  it('refuses a report for another agent, including one of another tenant', async () => {
    for (const agent_id of ['srv-2', 'SRV-1']) {
      expect(await post(report({ agent_id }))).toMatchObject({
        status: 403,
        body: { code: 'forbidden', detail: 'this key can report only for srv-1' },
      });
    }
    expect(await entries()).toEqual([]);
  });

  it.each([
    ['nobody', {}, 401],
    ['a member', 'member', 403],
    ['a key that may do other things', 'other', 403],
  ])('refuses %s', async (_who, how, status) => {
    const headers =
      how === 'member'
        ? { authorization: `Bearer ${cast.teammate.token}` }
        : how === 'other'
          ? await other()
          : {};
    expect((await post(report(), headers)).status).toBe(status);
    expect(await entries()).toEqual([]);
  });

  async function other(): Promise<Record<string, string>> {
    const made = await world.http('POST', `/api/v1/tenants/${cast.tenant_id}/api-keys`, {
      token: cast.operator.token,
      body: { name: 'Other', scopes: ['events:write', 'watched:write'] },
    });
    return { 'x-api-key': (made.body as { key: string }).key };
  }

  it('records the same report once, even if it arrives many times at once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => post(report())));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 201]);
    expect(new Set(answers.map(({ body }) => (body as { id: string }).id)).size).toBe(1);
    expect(await entries()).toHaveLength(2);
  });

  it('keeps the reports of two tenants apart, even if their agents have the same name', async () => {
    await post(report());
    const theirs = await post(report(), { authorization: `Bearer ${cast.outsider.token}` });
    expect(theirs).toMatchObject({ status: 201, body: { created: true } });
    expect(new Set((await entries()).map(({ tenant_id }) => tenant_id)).size).toBe(2);
  });

  it('answers a retry with the same Idempotency-Key as the first time', async () => {
    const headers = { 'x-api-key': key, 'idempotency-key': 'night-1' };
    const first = await post(report(), headers);
    expect(await post(report(), headers)).toMatchObject({ body: first.body });
    expect((await post(report({ city: 'Paris' }), headers)).status).toBe(422);
    expect(await entries()).toHaveLength(2);
  });
});
