import { addTenant } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { Clock, pretendNow } from '../clock/clock.js';
import { Queues } from '../queues/queues.js';
import { WakeUps } from '../queues/wake-ups.js';
import { Database, SystemDatabase } from './database.js';
import { RehearsalTooLongError } from './rehearsal.js';

const LIMITS = { max_ms: 5_000, statement_ms: 2_000, lock_ms: 200 };

let world: World;
let database: Database;
let tenantId: string;
let otherId: string;

beforeAll(async () => {
  world = await createWorld();
  database = world.app.get(Database);
  tenantId = (await addTenant(world)).id;
  otherId = (await addTenant(world)).id;
});
afterAll(() => world.close());

const add = (title: string) =>
  database.tenant(tenantId, async (tx) => {
    await tx.query(`INSERT INTO deadlines (tenant_id, title, due_on) VALUES ($1, $2, '2026-03-01')`, [
      tenantId,
      title,
    ]);
    return title;
  });
const titles = async () =>
  (
    await database.single(tenantId).query<{ title: string }>('SELECT title FROM deadlines ORDER BY title')
  ).map(({ title }) => title);

describe('V9: a rehearsal', () => {
  it('V9: lets transactions see what earlier ones wrote, and keeps none of it', async () => {
    const seen = await database.rehearse(tenantId, LIMITS, async () => {
      await add('first');
      // At the same time: one after the other, on one connection.
      await Promise.all([add('second'), add('third')]);
      return titles();
    });
    expect(seen).toEqual(['first', 'second', 'third']);
    expect(await titles()).toEqual([]);
  });

  it('V9: undoes a failing transaction alone, and a transaction in a transaction', async () => {
    const seen = await database.rehearse(tenantId, LIMITS, async () => {
      await add('kept');
      const failing = database.tenant(tenantId, async (tx) => {
        await add('inner');
        await tx.query('SELECT 1 / 0');
      });
      await expect(failing).rejects.toThrow('division by zero');
      await expect(
        database.tenant(tenantId, async () => {
          await add('thrown away');
          throw new Error('a mistake');
        }),
      ).rejects.toThrow('a mistake');
      return titles();
    });
    expect(seen).toEqual(['kept']);
    expect(await titles()).toEqual([]);
  });

  it('V9: fails with what its work throws, and leaves the connection usable', async () => {
    const failing = database.rehearse(tenantId, LIMITS, async () => {
      await add('one');
      throw new Error('a mistake');
    });
    await expect(failing).rejects.toThrow('a mistake');
    expect(await titles()).toEqual([]);
  });

  it('V9: reaches no other tenant, no queue and no other process', async () => {
    const committed = jest.fn();
    await database.rehearse(tenantId, LIMITS, async (rehearsal) => {
      await expect(database.tenant(otherId, () => Promise.resolve())).rejects.toThrow('another tenant');
      await expect(world.app.get(SystemDatabase).query('SELECT 1')).rejects.toThrow(
        'not possible in a rehearsal',
      );
      await expect(
        world.app
          .get(Queues)
          .enqueue('cleanup', [{ id: 'x', payload: { tenant_id: '', run_id: '', lease_token: '' } }]),
      ).rejects.toThrow('not possible in a rehearsal');
      expect(() => world.app.get(WakeUps).send('dispatch.kick', { channel: 'email' })).toThrow(
        'not possible',
      );
      await database.tenant(tenantId, (tx) => {
        tx.afterCommit(committed);
        return Promise.resolve();
      });
      expect(rehearsal.droppedCallbacks).toBe(1);
    });
    expect(committed).not.toHaveBeenCalled();
    // Outside of it nothing is refused.
    expect(await world.app.get(SystemDatabase).query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('V9: waits for no lock for long, and ends in time', async () => {
    await database.tenant(tenantId, async (holder) => {
      await holder.lock('a lock');
      const waiting = database.rehearse(tenantId, LIMITS, () =>
        database.tenant(tenantId, (tx) => tx.lock('a lock')),
      );
      await expect(waiting).rejects.toThrow('lock timeout');
    });
    const endless = database.rehearse(tenantId, { ...LIMITS, max_ms: 100 }, async () => {
      for (;;) await add('again');
    });
    await expect(endless).rejects.toThrow(RehearsalTooLongError);
    // A handler may not lift the limits.
    const long = database.rehearse(tenantId, { ...LIMITS, statement_ms: 100 }, () =>
      database.tenant(tenantId, async (tx) => {
        await tx.allowLongStatements(60_000);
        await tx.query('SELECT pg_sleep(5)');
      }),
    );
    await expect(long).rejects.toThrow('statement timeout');
    expect(await titles()).toEqual([]);
  });

  it('V9: shows its clock to its own code only', async () => {
    const clock = world.app.get(Clock);
    const outside = new Promise<Date>((resolve) => setTimeout(() => resolve(clock.now()), 20));
    const inside = await pretendNow(new Date('2030-01-01T00:00:00Z'), async () => {
      await new Promise((resolve) => setTimeout(resolve, 40));
      return clock.now();
    });
    expect(inside.toISOString()).toBe('2030-01-01T00:00:00.000Z');
    expect(Math.abs((await outside).getTime() - Date.now())).toBeLessThan(60_000);
  });
});
