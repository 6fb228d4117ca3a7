import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { schemaFaults } from '../../../test/rules/tables.js';
import { createDatabase, type TestDatabase } from '../../../test/support/database.js';
import { migrate, MIGRATIONS } from './migrate.js';

let template: TestDatabase;

beforeAll(async () => {
  template = await createDatabase();
});
afterAll(async () => template.drop());

async function withClient<Result>(
  url: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Creates an empty database and drops it after the work. */
async function onEmpty<Result>(work: (ownerUrl: string) => Promise<Result>, owner = ''): Promise<Result> {
  const name = `empty_${randomUUID().replaceAll('-', '')}`;
  await withClient(template.owner_url, (admin) =>
    admin.query(`CREATE DATABASE ${name} TEMPLATE template0${owner === '' ? '' : ` OWNER ${owner}`}`),
  );
  try {
    return await work(Object.assign(new URL(template.owner_url), { pathname: `/${name}` }).href);
  } finally {
    await withClient(template.owner_url, (admin) => admin.query(`DROP DATABASE ${name} WITH (FORCE)`));
  }
}

const names = MIGRATIONS.map((migration) => new migration().name);

describe('migrate', () => {
  it('brings an empty database up to date, once', async () => {
    await onEmpty(async (url) => {
      expect(await migrate(url)).toEqual(names);
      expect(await migrate(url)).toEqual([]);
      expect(await withClient(url, schemaFaults)).toEqual([]);
    });
  });

  it('runs once when five processes start at the same time', async () => {
    await onEmpty(async (url) => {
      const ran = await Promise.all(Array.from({ length: 5 }, () => migrate(url)));
      expect(ran.map(({ length }) => length).sort()).toEqual([0, 0, 0, 0, names.length]);
      const { rows } = await withClient(url, (client) =>
        client.query<{ name: string }>('SELECT name FROM migrations ORDER BY id'),
      );
      expect(rows.map(({ name }) => name)).toEqual(names);
    });
  });

  it('has uniquely named migrations in order', () => {
    expect([...names].sort((one, other) => one.slice(-13).localeCompare(other.slice(-13)))).toEqual(names);
    expect(new Set(names).size).toBe(names.length);
  });
});

/** With DATABASE_URL alone the pools take on the two roles with `-c role=…`. */
describe('as an owner who is no superuser', () => {
  const owner = `owner_${randomUUID().slice(0, 8)}`;
  const password = randomUUID();

  beforeAll(async () => {
    await withClient(template.owner_url, async (admin) => {
      await admin.query(`CREATE ROLE ${owner} LOGIN NOINHERIT PASSWORD '${password}'`);
      // As PostgreSQL itself does for the creator of a role.
      await admin.query(
        `GRANT vigie_app, vigie_system TO ${owner} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE`,
      );
    });
  });
  afterAll(async () => {
    await withClient(template.owner_url, (admin) => admin.query(`DROP ROLE ${owner}`));
  });

  it('migrates, and only the roles see what the policies allow', async () => {
    await onEmpty(async (adminUrl) => {
      const url = Object.assign(new URL(adminUrl), { username: owner, password }).href;
      expect(await migrate(url, { takenOn: ['vigie_app', 'vigie_system'] })).toEqual(names);
      await withClient(adminUrl, async (admin) => {
        expect(await schemaFaults(admin)).toEqual([]);
        await admin.query(
          `INSERT INTO tenants (slug, name, kind, time_zone, locale, schedule_from)
           VALUES ('a', 'a', 'cabinet', 'Europe/Paris', 'fr', now())`,
        );
      });
      const seen = (options?: string) =>
        withClientAs(url, options, async (client) => {
          const { rows } = await client.query<{ count: number }>(
            'SELECT count(*)::int AS count FROM tenants',
          );
          return rows[0]!.count;
        });
      expect(await seen('-c role=vigie_app')).toBe(0);
      expect(await seen('-c role=vigie_system')).toBe(1);
      // The owner inherits nothing: forced row-level security applies to it too.
      expect(await seen()).toBe(0);
    }, owner);
  });

  async function withClientAs<Result>(
    url: string,
    options: string | undefined,
    work: (client: pg.Client) => Promise<Result>,
  ): Promise<Result> {
    const client = new pg.Client({ connectionString: url, ...(options === undefined ? {} : { options }) });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }
});
