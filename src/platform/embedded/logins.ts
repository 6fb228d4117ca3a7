import pg from 'pg';

export interface EmbeddedUrls {
  /** The superuser: for migrations only. */
  owner_url: string;
  app_url: string;
  system_url: string;
}

export interface Passwords {
  owner: string;
  app: string;
  system: string;
}

const DATABASE = 'vigie';
const CONNECT_TIMEOUT_MS = 10_000;
/** CREATE DATABASE copies files and waits for the disk. */
const QUERY_TIMEOUT_MS = 120_000;

/** Creates or updates the database and the server's two logins. */
export async function prepareDatabase(port: number, passwords: Passwords): Promise<EmbeddedUrls> {
  const client = new pg.Client({
    connectionString: urlOf('postgres', passwords.owner, port, 'postgres'),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
  });
  try {
    await client.connect();
  } catch (error) {
    if ((error as { code?: string }).code !== '28P01') throw error;
    throw new Error(
      'the password in secrets.json does not match the database: restore the secrets.json that belongs to ' +
        'this data directory',
      { cause: error },
    );
  }
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
    await prepareLogin(client, 'vigie_app', passwords.app);
    await prepareLogin(client, 'vigie_system', passwords.system);
  } finally {
    await client.end();
  }
  return urlsOf(port, passwords);
}

/** The URL of the database for each of its logins. */
export function urlsOf(port: number, passwords: Passwords): EmbeddedUrls {
  return {
    owner_url: urlOf('postgres', passwords.owner, port),
    app_url: urlOf('vigie_app', passwords.app, port),
    system_url: urlOf('vigie_system', passwords.system, port),
  };
}

async function prepareLogin(client: pg.Client, name: string, password: string): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [name]);
  if (rowCount === 0) await client.query(`CREATE ROLE ${name}`);
  // NOINHERIT: an owner or login that inherits another role would see everything that role may see.
  await client.query(
    `ALTER ROLE ${name} LOGIN NOSUPERUSER NOINHERIT NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
     PASSWORD ${client.escapeLiteral(password)}`,
  );
}

const urlOf = (user: string, password: string, port: number, database = DATABASE): string =>
  `postgresql://${user}:${password}@127.0.0.1:${port}/${database}`;
