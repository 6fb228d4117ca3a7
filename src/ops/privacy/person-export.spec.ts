import { addPerson, type Cast, createCast, type Person } from '../../../test/support/cast.js';
import { runJob } from '../../../test/support/watched.js';
import { environmentOf } from '../../../test/support/world.js';
import { exportPerson } from '../../cli/person-export.js';
import { type ArchiveStage, archiveStage } from '../archives/archives.fixture.js';
import { addCanary, EMAIL, NAME, PHONE, SECRET } from './privacy.fixture.js';

let stage: ArchiveStage;
let cast: Cast;
let person: Person;

beforeAll(async () => {
  stage = await archiveStage({ ACCESS_TOKEN_MINUTES: '1440' });
  cast = await createCast(stage.world);
  person = await addCanary(stage.world, cast.tenant, cast.admin);
  await runJob(stage.world, cast.tenant_id, 'cleanup');
});
afterAll(() => stage.close());

type Line = Record<string, unknown> & { record: string };

const get = (path: string, token?: string) => stage.world.http('GET', `/api/v1/${path}`, { token });
const linesOf = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
const byAddress = (address: string, token = cast.admin.token, more = '') =>
  get(`admin/privacy/export?address=${encodeURIComponent(address)}${more}`, token);

/** How many lines of each kind the canary's export has. */
const COUNTS = {
  account: 1,
  session: 1,
  device: 1,
  notification: 2,
  mention: 1,
  stopped_address: 1,
  reminder: 1,
  task: 1,
  alert: 1,
  import: 1,
  import_row: 1,
  import_fault: 1,
  import_change: 1,
  audit_entry: 1,
  archived: 4,
};

describe('the export of a person', () => {
  it('E13: has everything that is kept about a user, and no secrets', async () => {
    const { status, text, headers } = await get(`users/${person.id}/export`, cast.admin.token);
    expect([status, headers['content-type']]).toEqual([200, 'application/x-ndjson']);
    const lines = linesOf(text);
    expect(lines.at(-1)).toEqual({ record: 'end', counts: COUNTS });
    const first = (record: string) => lines.find((line) => line.record === record);
    expect(first('account')).toMatchObject({
      email: EMAIL,
      name: NAME,
      phone: PHONE,
      has_password: true,
      preferences: [{ kind: 'event', channel: 'sms', enabled: true }],
    });
    expect(first('notification')).toMatchObject({
      data: { title: `For ${NAME}` },
      deliveries: [
        {
          sent_subject: `For ${NAME}`,
          events: [{ event: 'retried' }],
          provider_events: [{ event: 'delivered' }],
        },
      ],
    });
    expect(first('archived')).toMatchObject({
      table: 'notifications',
      row: { recipient: `user:${person.id}` },
    });
    for (const secret of [SECRET, 'argon2', 'token_hash', 'fingerprint']) expect(text).not.toContain(secret);
  });

  it('E13: is the same for the person, by their address, and by their number', async () => {
    const lines = async (answer: Promise<{ text: string }>) => linesOf((await answer).text);
    const own = await lines(get('me/export', person.token));
    expect(own.at(-1)).toEqual({ record: 'end', counts: COUNTS });
    expect(await lines(byAddress(EMAIL.toUpperCase()))).toEqual(own);
    expect(await lines(byAddress(PHONE))).toEqual(own);
    expect(await lines(byAddress(EMAIL, cast.operator.token, `&tenant=${cast.tenant.slug}`))).toEqual(own);
  });

  it('E13: of an address of no user has what was sent to it, in pages that lose nothing', async () => {
    await stage.world.sql(
      `INSERT INTO notifications (tenant_id, recipient, dedupe_key, kind, severity, audience, created_at)
       SELECT $1, 'mailto:client@client.example', 'key:' || n, 'event', 'info', 'addressed', $2
       FROM generate_series(1, 250) n`,
      [cast.tenant_id, stage.clock.now()],
    );
    const lines = linesOf((await byAddress('client@client.example')).text);
    expect(lines.at(-1)).toEqual({ record: 'end', counts: { notification: 250 } });
    expect(new Set(lines.map(({ id }) => id)).size).toBe(251);
    expect(linesOf((await byAddress('nobody@client.example')).text)).toEqual([{ record: 'end', counts: {} }]);
    expect((await byAddress('no address')).status).toBe(400);
  });

  it('E13: admins only, of this tenant; operators by address; unknown users are not found', async () => {
    const member = await addPerson(stage.world, cast.tenant_id, { name: 'Dora' });
    const statuses = async (path: string) =>
      Promise.all(
        [cast.admin, member, cast.outsider, cast.operator, undefined].map(
          async (who) => (await get(path, who?.token)).status,
        ),
      );
    expect(await statuses(`users/${person.id}/export`)).toEqual([200, 403, 404, 403, 401]);
    expect(await statuses(`users/${crypto.randomUUID()}/export`)).toEqual([404, 403, 404, 403, 401]);
    const ofTenant = `admin/privacy/export?address=${EMAIL}&tenant=${cast.tenant.slug}`;
    expect(await statuses(ofTenant)).toEqual([200, 403, 404, 200, 401]);
    expect(await statuses('me/export')).toEqual([200, 200, 200, 403, 401]);
    const foreign = await byAddress(EMAIL, cast.outsider.token);
    expect(linesOf(foreign.text)).toEqual([{ record: 'end', counts: {} }]);
  });

  it('E13: vigie users export prints it, and is audited by the user’s id', async () => {
    const lines: string[] = [];
    const options = { tenant: cast.tenant.slug };
    const environment = environmentOf(stage.world);
    await exportPerson({ ...environment, ...stage.environment }, EMAIL, options, (line) => lines.push(line));
    expect(linesOf(lines.join('\n')).at(-1)).toMatchObject({
      counts: { account: 1, notification: 2, archived: 4 },
    });
    const entries = await stage.world.sql(
      `SELECT targets, status FROM audit_log WHERE action = 'vigie users export'`,
    );
    expect(entries).toEqual([{ targets: { user: person.id }, status: 200 }]);
    await expect(exportPerson(environment, undefined, options, () => undefined)).rejects.toThrow(
      'name either',
    );
  });
});
