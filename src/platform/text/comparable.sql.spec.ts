import pg from 'pg';
import { createDatabase, type TestDatabase } from '../../../test/support/world.js';
import { comparableSql } from './comparable.sql.js';
import { comparable, normalized } from './normalized.js';

describe('F2: comparableSql', () => {
  let database: TestDatabase;
  let client: pg.Client;
  beforeAll(async () => {
    database = await createDatabase();
    client = new pg.Client({ connectionString: database.owner_url });
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  it('compares each character of the Basic Multilingual Plane as the server does', async () => {
    const characters = Array.from({ length: 0xffff }, (_, code) => String.fromCharCode(code + 1));
    const texts = characters
      .filter((character) => !/\p{Cs}/u.test(character))
      .map((character) => normalized(`a${character}b "\\`));
    const { rows } = await client.query<{ text: string; same: string }>(
      `SELECT o ->> 't' AS text, ${comparableSql('o')} ->> 't' AS same
       FROM unnest($1::text[]) t CROSS JOIN LATERAL (SELECT jsonb_build_object('t', t) AS o) x`,
      [texts],
    );
    expect(rows.filter(({ text, same }) => same !== comparable(text))).toEqual([]);
    expect(rows).toHaveLength(texts.length);
  });
});
