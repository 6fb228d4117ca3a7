import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { ClsService } from 'nestjs-cls';
import { createPlatform, type Platform } from '../../../test/support/platform.js';
import { toProblem } from '../errors/problem.filter.js';
import { Database, SystemDatabase } from './database.js';
import { prepared } from './transaction.js';
import { databaseFailure, isForeignKeyViolation, isUniqueViolation } from './failures.js';

let platform: Platform;
let database: Database;
let system: SystemDatabase;
let ours: string;
let theirs: string;

beforeAll(async () => {
  platform = await createPlatform();
  database = platform.module.get(Database);
  system = platform.module.get(SystemDatabase);
  ours = await platform.tenant();
  theirs = await platform.tenant();
});
afterAll(async () => platform.close());

const INSERT = `INSERT INTO tasks (tenant_id, title, due_on) VALUES ($1, $2, '2026-03-31') RETURNING id`;

async function titles(): Promise<string[]> {
  return (await platform.sql<{ title: string }>('SELECT title FROM tasks ORDER BY title')).map(
    ({ title }) => title,
  );
}

afterEach(async () => {
  await platform.sql('DELETE FROM tasks');
});

describe('a tenant transaction', () => {
  it.each([[''], [' '], ['nobody'], ['%'], [`${randomUUID()}x`]])('requires a tenant (%p)', async (id) => {
    const work = jest.fn();
    await expect(database.tenant(id, work)).rejects.toThrow('a tenant transaction needs a tenant id');
    expect(work).not.toHaveBeenCalled();
  });

  it('commits when the work returns, and returns its result', async () => {
    await expect(
      database.tenant(ours, async (tx) => {
        await tx.execute(INSERT, [tx.tenant_id, 'kept']);
        return 'result';
      }),
    ).resolves.toBe('result');
    expect(await titles()).toEqual(['kept']);
  });

  it('fails as unavailable after losing its connection, whichever statement notices it', async () => {
    const codes: string[] = [];
    const record = (error: unknown) => codes.push(toProblem(error).code);
    await database
      .tenant(ours, async (tx) => {
        const row = await tx.one<{ pid: number }>('SELECT pg_backend_pid() AS pid');
        await platform.sql('SELECT pg_terminate_backend($1)', [row!.pid]);
        await tx.query('SELECT pg_sleep(10)').catch(record);
        await tx.query('SELECT 1').catch(record);
        await tx.query('SELECT 1');
      })
      .catch(record);
    expect(codes).toEqual(['unavailable', 'unavailable', 'unavailable']);
    await expect(database.tenant(ours, (tx) => tx.query('SELECT 1 AS one'))).resolves.toEqual([{ one: 1 }]);
  });

  it('rolls back everything when the work throws, and rethrows the error', async () => {
    const error = new Error('no');
    await expect(
      database.tenant(ours, async (tx) => {
        await tx.execute(INSERT, [ours, 'lost']);
        throw error;
      }),
    ).rejects.toBe(error);
    expect(await titles()).toEqual([]);
  });

  it('rolls back after a failed statement, and returns the connection clean', async () => {
    for (let round = 0; round < 15; round++) {
      await expect(
        database.tenant(ours, async (tx) => {
          await tx.execute(INSERT, [ours, 'lost']);
          await tx.query('SELECT 1/0');
        }),
      ).rejects.toThrow('division by zero');
    }
    // More rounds than the pool has connections: each was released, none still in a transaction.
    const [row] = await database.tenant(ours, (tx) =>
      tx.query<{ count: number }>('SELECT count(*) FROM tasks'),
    );
    expect(row).toEqual({ count: 0 });
  });

  it('cannot continue after a failed statement as if nothing had happened', async () => {
    await expect(
      database.tenant(ours, async (tx) => {
        await tx.query('SELECT 1/0').catch(() => undefined);
        await tx.execute(INSERT, [ours, 'half']);
      }),
    ).rejects.toMatchObject({ driverError: { code: '25P02' } });
    expect(await titles()).toEqual([]);
  });

  it('fails when the work swallowed an error and nothing would be committed', async () => {
    await expect(
      database.tenant(ours, async (tx) => {
        await tx.query('SELECT 1/0').catch(() => undefined);
      }),
    ).rejects.toThrow('nothing was committed: a statement had failed');
  });

  it('sees its own tenant, writes to no other, and leaves no context behind', async () => {
    await platform.sql(INSERT, [ours, 'ours']);
    await platform.sql(INSERT, [theirs, 'theirs']);
    const seen = await database.tenant(ours, (tx) => tx.query<{ title: string }>('SELECT title FROM tasks'));
    expect(seen).toEqual([{ title: 'ours' }]);
    await expect(database.tenant(ours, (tx) => tx.execute(INSERT, [theirs, 'x']))).rejects.toMatchObject({
      driverError: { code: '42501' },
    });
    await Promise.all(
      Array.from({ length: 40 }, async (_each, n) => {
        const tenant = n % 2 === 0 ? ours : theirs;
        const rows = await database.tenant(tenant, (tx) =>
          tx.query<{ tenant_id: string }>('SELECT tenant_id FROM tasks'),
        );
        expect(rows).toEqual([{ tenant_id: tenant }]);
      }),
    );
  });

  it('adds its tenant to the log context of the work around it', async () => {
    const cls = platform.module.get(ClsService);
    await cls.run(async () => {
      await database.tenant(ours, (tx) => tx.query('SELECT 1'));
      expect(cls.get('tenant_id')).toBe(ours);
    });
  });

  it('counts rows, finds one, and preserves dates and counts', async () => {
    await database.tenant(ours, async (tx) => {
      expect(await tx.execute(INSERT, [ours, 'a'])).toBe(1);
      expect(await tx.execute(`UPDATE tasks SET title = title WHERE title = 'none'`)).toBe(0);
      expect(await tx.one('SELECT 1 FROM tasks WHERE false')).toBeNull();
      expect(await tx.one('SELECT due_on, count(*) OVER () AS count FROM tasks')).toEqual({
        due_on: '2026-03-31',
        count: 1,
      });
      expect(await tx.query(`UPDATE tasks SET title = 'b' RETURNING title`)).toEqual([{ title: 'b' }]);
    });
  });
});

describe('a single statement', () => {
  const INSERT_TASK = prepared(INSERT);

  it('requires a tenant', () => {
    expect(() => database.single('nobody')).toThrow('a tenant transaction needs a tenant id');
  });

  it('is committed when it returns', async () => {
    await expect(database.single(ours).query(INSERT_TASK, [ours, 'kept'])).resolves.toHaveLength(1);
    expect(await titles()).toEqual(['kept']);
  });

  it('sees its own tenant, writes to no other, and leaves no context behind', async () => {
    await platform.sql(INSERT, [ours, 'ours']);
    await platform.sql(INSERT, [theirs, 'theirs']);
    await expect(database.single(ours).query(INSERT_TASK, [theirs, 'x'])).rejects.toMatchObject({
      driverError: { code: '42501' },
    });
    await Promise.all(
      Array.from({ length: 40 }, async (_each, n) => {
        const tenant = n % 2 === 0 ? ours : theirs;
        const row = await database.single(tenant).one('SELECT tenant_id FROM tasks');
        expect(row).toEqual({ tenant_id: tenant });
      }),
    );
    expect(await titles()).toEqual(['ours', 'theirs']);
  });

  it('returns its connection clean after a failure', async () => {
    // More often than the pool has connections, and all at once.
    const failures = Array.from({ length: 30 }, () => database.single(ours).query('SELECT 1/0'));
    for (const { status } of await Promise.allSettled(failures)) expect(status).toBe('rejected');
    await database.single(ours).query(INSERT, [ours, 'after']);
    expect(await titles()).toEqual(['after']);
  });

  it('is planned once per connection under its name, for either tenant', async () => {
    const count = prepared('SELECT count(*) FROM tasks WHERE tenant_id = $1');
    expect(prepared(count.text)).toEqual(count);
    await platform.sql(INSERT, [ours, 'ours']);
    for (let round = 0; round < 20; round++) {
      expect(await database.single(ours).one(count, [ours])).toEqual({ count: 1 });
      expect(await database.single(theirs).one(count, [ours])).toEqual({ count: 0 });
    }
  });
});

describe('afterCommit', () => {
  it('runs after the commit, in order', async () => {
    const calls: string[] = [];
    await database.tenant(ours, async (tx) => {
      tx.afterCommit(() => calls.push('first'));
      tx.afterCommit(() => calls.push('second'));
      await tx.query('SELECT 1');
      calls.push('work');
    });
    expect(calls).toEqual(['work', 'first', 'second']);
  });

  it('is not called when the work failed', async () => {
    const callback = jest.fn();
    await expect(
      database.tenant(ours, async (tx) => {
        tx.afterCommit(callback);
        await tx.query('SELECT 1/0');
      }),
    ).rejects.toThrow();
    expect(callback).not.toHaveBeenCalled();
  });

  it('is not called when the commit failed', async () => {
    const callback = jest.fn();
    await platform.sql(
      `ALTER TABLE tasks ADD CONSTRAINT late EXCLUDE USING btree (title WITH =) DEFERRABLE INITIALLY DEFERRED`,
    );
    try {
      await expect(
        database.tenant(ours, async (tx) => {
          tx.afterCommit(callback);
          await tx.execute(INSERT, [ours, 'same']);
          await tx.execute(INSERT, [ours, 'same']);
        }),
      ).rejects.toMatchObject({ code: '23P01' });
    } finally {
      await platform.sql('ALTER TABLE tasks DROP CONSTRAINT late');
    }
    expect(callback).not.toHaveBeenCalled();
    expect(await titles()).toEqual([]);
  });

  it('logs a failing callback, and the commit stands', async () => {
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    const second = jest.fn();
    await expect(
      database.tenant(ours, async (tx) => {
        tx.afterCommit(() => {
          throw new Error('no');
        });
        tx.afterCommit(second);
        await tx.execute(INSERT, [ours, 'kept']);
        return 'result';
      }),
    ).resolves.toBe('result');
    expect(second).toHaveBeenCalledTimes(1);
    expect(error).toHaveBeenCalledWith(expect.objectContaining({ event: 'after_commit_failed' }));
    error.mockRestore();
    expect(await titles()).toEqual(['kept']);
  });
});

describe('the system database', () => {
  it('sees every tenant, in one statement or in a transaction', async () => {
    await platform.sql(INSERT, [ours, 'ours']);
    await platform.sql(INSERT, [theirs, 'theirs']);
    const select = 'SELECT title FROM tasks ORDER BY title';
    const both = [{ title: 'ours' }, { title: 'theirs' }];
    expect(await system.query(select)).toEqual(both);
    expect(await system.transaction((tx) => tx.query(select))).toEqual(both);
  });

  it('rolls back after an error', async () => {
    await expect(
      system.transaction(async (tx) => {
        await tx.execute(INSERT, [ours, 'lost']);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await titles()).toEqual([]);
  });

  it('runs as its own role, and the application as another', async () => {
    const select = `SELECT current_user AS role, current_setting('is_superuser') AS superuser`;
    expect(await system.query(select)).toEqual([{ role: 'vigie_system', superuser: 'off' }]);
    expect(await database.tenant(ours, (tx) => tx.query(select))).toEqual([
      { role: 'vigie_app', superuser: 'off' },
    ]);
  });
});

describe('failures', () => {
  it('are described by code and constraint', async () => {
    const twice = database.tenant(ours, async (tx) => {
      const sql = `INSERT INTO tasks (tenant_id, title, due_on, external_id) VALUES ($1, 'a', '2026-03-31', 'x')`;
      await tx.execute(sql, [ours]);
      await tx.execute(sql, [ours]);
    });
    const unique: unknown = await twice.catch((error: unknown) => error);
    expect(isUniqueViolation(unique)).toBe(true);
    expect(isUniqueViolation(unique, 'tasks_tenant_id_external_id_key')).toBe(true);
    expect(isUniqueViolation(unique, 'another')).toBe(false);
    expect(isForeignKeyViolation(unique)).toBe(false);
    const foreign: unknown = await database
      .tenant(ours, (tx) =>
        tx.execute(
          `INSERT INTO tasks (tenant_id, title, due_on, responsible_id) VALUES ($1, 'a', '2026-03-31', $2)`,
          [ours, randomUUID()],
        ),
      )
      .catch((error: unknown) => error);
    expect(isForeignKeyViolation(foreign)).toBe(true);
    expect(databaseFailure(foreign)?.table).toBe('tasks');
    expect(databaseFailure(new Error('x'))).toBeNull();
  });
});
