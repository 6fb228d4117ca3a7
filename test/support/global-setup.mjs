// Starts one PostgreSQL and one Redis for the whole run, and migrates the template database that test files clone with
// CREATE DATABASE … TEMPLATE vigie_template.
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, URL } from 'node:url';
import pg from 'pg';

const TEMPLATE = 'vigie_template';
const dist = (path) => fileURLToPath(new URL(`../../dist/platform/${path}`, import.meta.url));

export default async function setUp() {
  const library = dist('embedded/embedded.js');
  if (!existsSync(library))
    throw new Error('The tests run against the built server: run "npm run build" first.');
  const { startEmbedded } = await import(library);

  const data_dir = await mkdtemp(join(tmpdir(), 'vigie-test-'));
  // PostgreSQL runs as another user if the tests run as root.
  await chmod(data_dir, 0o755);
  let embedded;
  try {
    const log = process.env.VIGIE_TEST_VERBOSE ? (line) => console.log(line) : () => undefined;
    // Not durable: no test crashes this PostgreSQL. Tests that kill one start their own.
    embedded = await startEmbedded({
      data_dir,
      postgres: true,
      redis: true,
      log,
      max_connections: 300,
      durable: process.env.VIGIE_TEST_DURABLE !== undefined,
    });
    await makeTemplate(embedded.database.owner_url);
  } catch (error) {
    await embedded?.stop();
    await rm(data_dir, { recursive: true, force: true });
    throw error;
  }
  process.env.TEST_OWNER_URL = embedded.database.owner_url;
  process.env.TEST_APP_URL = embedded.database.app_url;
  process.env.TEST_SYSTEM_URL = embedded.database.system_url;
  process.env.TEST_REDIS_URL = embedded.redis_url;
  globalThis.vigieTestServices = { embedded, data_dir };
}

async function makeTemplate(owner_url) {
  const client = new pg.Client({ connectionString: owner_url });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${TEMPLATE}`);
  } finally {
    await client.end();
  }
  const migrations = dist('database/migrate.js');
  if (!existsSync(migrations)) return;
  const { migrate } = await import(migrations);
  const template_url = new URL(owner_url);
  template_url.pathname = `/${TEMPLATE}`;
  await migrate(template_url.href);
  const template = new pg.Client({ connectionString: template_url.href });
  await template.connect();
  try {
    // The channels are proven to work: otherwise each test would first have to send a single mail.
    await template.query(`UPDATE channels SET worked_at = 'infinity'`);
  } finally {
    await template.end();
  }
}
