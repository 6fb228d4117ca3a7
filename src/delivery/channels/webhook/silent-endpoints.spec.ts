import { addPerson, addTenant, type Cast, createCast, type Person } from '../../../../test/support/cast.js';
import { until } from '../../../../test/support/until.js';
import { createWorld, type World } from '../../../../test/support/world.js';
import { Receiver } from './receiver.fixture.js';
import { addEndpoint, LOCAL_RECEIVERS, report } from './webhooks.fixture.js';

/** The calls that the only worker makes in parallel. */
const SLOTS = 20;
/** A silent endpoint holds a call for 20 s: whoever waited for one would be late. */
const IN_TIME_MS = 10_000;

/** V4, V19, F11: endpoints that never answer delay no other one. */
describe('silent endpoints', () => {
  let world: World;
  let cast: Cast;
  let silent: Receiver;
  let sound: Receiver;

  beforeAll(async () => {
    world = await createWorld({
      env: {
        ...LOCAL_RECEIVERS,
        ...{ VIGIE_ROLES: 'web,worker,scheduler', WEBHOOK_CONCURRENCY: String(SLOTS) },
      },
    });
    cast = await createCast(world);
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    for (const table of ['deliveries', 'notifications', 'alerts', 'webhook_endpoints'])
      await world.sql(`DELETE FROM ${table}`);
    silent = await Receiver.start();
    silent.behave('silence');
    sound = await Receiver.start();
  });
  afterEach(async () => {
    await silent.close();
    await sound.close();
  });

  const silentEndpoints = async (admin: Person, count: number, facts: number) => {
    for (let n = 0; n < count; n++) await addEndpoint(world, admin, silent);
    for (let n = 0; n < facts; n++) await report(world, admin, `stuck-${n}`);
  };
  const inFlight = async () => {
    const [row] = await world.sql<{ count: number }>(
      `SELECT count(*)::integer AS count FROM deliveries
       WHERE channel = 'webhook' AND state IN ('queued', 'sending') AND address IN (
         SELECT id::text FROM webhook_endpoints WHERE url_shown LIKE $1)`,
      [`%:${silent.port}%`],
    );
    return row?.count ?? 0;
  };
  /** The sound endpoint of this admin gets a fact in time; by then the silent ones hold so many calls. */
  const expectInTime = async (admin: Person, held: number) => {
    await until('calls of the silent ones', () => silent.calls.length === held);
    await addEndpoint(world, admin, sound);
    await report(world, admin, 'other');
    await until('the sound endpoint to be called', () => sound.calls.length === 1, IN_TIME_MS);
    expect(await inFlight()).toBe(held);
    expect(silent.calls).toHaveLength(held);
  };

  it('V19: twenty of one tenant hold half of the slots: calls of other tenants are in time', async () => {
    await silentEndpoints(cast.admin, 20, 3);
    await expectInTime(cast.outsider, SLOTS / 2);
  });

  it('V19: one that has never worked has one call at a time, and the channel stays up', async () => {
    await silentEndpoints(cast.admin, 2, 12);
    await expectInTime(cast.admin, 2);
    const [channel] = await world.sql(`SELECT down_since FROM channels WHERE channel = 'webhook'`);
    expect(channel).toEqual({ down_since: null });
  });

  it('V19: one that has just worked has five', async () => {
    silent.behave(204);
    await silentEndpoints(cast.admin, 1, 1);
    await until('its success', async () => {
      const [row] = await world.sql('SELECT last_success_at FROM webhook_endpoints');
      return row?.last_success_at !== null;
    });
    silent.behave('silence');
    silent.forget();
    for (let n = 0; n < 12; n++) await report(world, cast.admin, `silent-${n}`);
    await expectInTime(cast.outsider, 5);
  });

  it('V19: all that fail, of any tenant, hold a quarter of the slots', async () => {
    const tenants = await Promise.all([1, 2, 3].map(() => addTenant(world)));
    for (const { id } of tenants) {
      const admin = await addPerson(world, id, { name: 'Alice', role: 'admin' });
      for (let n = 0; n < 4; n++) await addEndpoint(world, admin, silent);
      await world.sql(`UPDATE webhook_endpoints SET failing_since = now() WHERE tenant_id = $1`, [id]);
      await report(world, admin, 'stuck');
    }
    await expectInTime(cast.admin, SLOTS / 4);
  });
});
