import pg from 'pg';
import { createDatabase, type TestDatabase } from '../../../test/support/world.js';
import { foldedPattern, foldedSql } from './folded.sql.js';

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

it.each([
  ['Évreux', 'evreux', true],
  ['evreux', 'ÉVR', true],
  ['Cœur', 'cour', true],
  ['Škoda Auto', 'škoda', true],
  ['škoda auto', 'ŠKODA', true],
  ['Skoda', 'škoda', false],
  ['ООО «Ромашка»', 'ромашка', true],
  ['ооо «ромашка»', 'РОМАШКА', true],
  ['Ωμέγα Α.Ε.', 'ωμέγα', true],
  ['ωμέγα', 'ΩΜΈΓΑ', true],
  ['Łódź', 'łÓdŹ', true],
  ['Straße', 'straße', true],
  ['Strasse', 'straße', false],
  ['5 µm', '5 µM', true],
  ['日本電気', '本電', true],
  ['100 % "done" [a-z]', '% "DONE" [A-Z]', true],
  ['a.b', 'a?b', false],
  ['back\\slash', 'K\\S', true],
  ['^$|()*+?{}', '$|()*+?{', true],
])('C10: %s has %s: %s, as a pattern and folded', async (text, q, found) => {
  const { rows } = await client.query(
    `SELECT $1::text ~ $2 AS pattern, strpos(${foldedSql('$1::text')}, ${foldedSql('$3::text')}) > 0 AS folded`,
    [text, foldedPattern(q), q],
  );
  expect(rows).toEqual([{ pattern: found, folded: found }]);
});
