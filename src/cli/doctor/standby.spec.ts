import {
  installedPostgres,
  type PostgresServer,
  runSql,
  startPostgres,
} from '../../../test/support/postgres-server.js';
import { readConfig } from '../../platform/config/config.js';
import { reachDatabase } from '../../platform/start/steps.js';
import { check, finding, NOWHERE } from './doctor.fixture.js';

/** E13: a DATABASE_URL that leads to a standby. */

let server: PostgresServer;
let environment: Record<string, string>;

beforeAll(async () => {
  server = await startPostgres(installedPostgres().at(-1)!, [], { standby: true });
  environment = { ...NOWHERE, DATABASE_URL: server.url('postgres') };
}, 60_000);
afterAll(() => server.stop());

it('E13: the doctor names it, and says what to do', async () => {
  expect(await check('postgresql', environment)).toEqual([
    finding(
      'fault',
      /^DATABASE_URL at 127\.0\.0\.1:\d+: .* standby, which accepts no changes$/,
      /pg_promote/,
    ),
  ]);
});

it('R3: the start fails with the reason, before it writes anything', async () => {
  await expect(reachDatabase(readConfig(environment))).rejects.toMatchObject({
    name: 'StartError',
    message: expect.stringMatching(/^postgresql at .*PostgreSQL is a standby.*docs\/scaling\.md/),
  });
});

it('E13: once it is promoted, nothing is wrong', async () => {
  await runSql(server.url('postgres'), 'SELECT pg_promote()');
  expect(await check('postgresql', environment)).toEqual([finding('ok', /signed in as postgres/)]);
  await expect(reachDatabase(readConfig(environment))).resolves.toBeUndefined();
});
