import { checkPostgres } from '../../platform/database/database.module.js';
import { assertMigratedOn } from '../../platform/database/reach.js';
import { assertWritable, ReadOnlyPostgres } from '../../platform/database/read-only.js';
import { placeOf } from '../../platform/start/start-error.js';
import type { DoctorContext } from './context.js';
import { fault, type Finding, ok } from './finding.js';
import { codeOf, messageOf } from './error-text.js';
import { outage, type Service } from './outage.js';
import { PREPARING, unreachable } from './postgres-silence.js';
import { withClient } from './postgres-client.js';

const PORT = 5_432;

/** Signs in with each configured login. */
export async function checkLogins({ config }: DoctorContext): Promise<Finding[]> {
  const logins = [
    ['DATABASE_URL', config.databaseUrl],
    ['DATABASE_APP_URL', config.databaseAppUrl],
    ['DATABASE_SYSTEM_URL', config.databaseSystemUrl],
  ] as const;
  return Promise.all(logins.flatMap(([setting, url]) => (url === null ? [] : [login(setting, url)])));
}

async function login(setting: string, url: string): Promise<Finding> {
  try {
    return await withClient(url, async (client) => {
      await assertWritable(client);
      const { rows } = await client.query<{ login: string; version: string }>(
        `SELECT current_user AS login, current_setting('server_version') AS version`,
      );
      return ok(
        `${setting} at ${placeOf(url, PORT)}: signed in as ${rows[0]?.login}, PostgreSQL ${rows[0]?.version}`,
      );
    });
  } catch (error) {
    return loginFault(error, setting, url);
  }
}

function loginFault(error: unknown, setting: string, url: string): Finding {
  const service: Service = {
    name: 'PostgreSQL',
    setting,
    place: placeOf(url, PORT),
    authority: `Append ?sslrootcert=/path/of/the/authority.pem to ${setting}`,
    encryption: `Remove sslmode from ${setting}, or switch ssl on in postgresql.conf`,
  };
  const message = messageOf(error);
  const about = `${setting} at ${service.place}`;
  if (/does not support SSL/.test(message))
    return fault(`${about}: PostgreSQL offers no TLS`, service.encryption);
  const { user, database } = namesOf(url);
  if (error instanceof ReadOnlyPostgres) return readOnly(error, about, setting, database);
  switch (codeOf(error)) {
    case '28P01':
      return fault(
        `${about}: PostgreSQL rejects the user ${user} or the password`,
        `Correct ${setting}, or set the password as a superuser: ALTER ROLE ${user} PASSWORD '…'`,
      );
    case '28000':
      return fault(
        `${about}: PostgreSQL rejects the login: ${message}`,
        /no encryption/.test(message)
          ? `Append ?sslmode=verify-full to ${setting}: pg_hba.conf accepts no unencrypted connection from here`
          : `Allow ${user} from this machine in pg_hba.conf, and reload PostgreSQL`,
      );
    case '3D000':
      return fault(
        `${about}: the database ${database} does not exist`,
        `Create it (${PREPARING}), or correct its name in ${setting}`,
      );
    case '53300':
      return fault(
        `${about}: PostgreSQL has no free connection`,
        'Raise max_connections in postgresql.conf, or lower DATABASE_POOL_SIZE or the number of processes',
      );
    default:
      return outage(error, service);
  }
}

function readOnly(
  { isStandby }: ReadOnlyPostgres,
  about: string,
  setting: string,
  database: string,
): Finding {
  return isStandby
    ? fault(
        `${about}: this PostgreSQL is a standby, which accepts no changes`,
        `Put the address of the primary into ${setting}, or promote this one if the primary is gone: ` +
          'SELECT pg_promote() (docs/scaling.md, "PostgreSQL standby")',
      )
    : fault(
        `${about}: PostgreSQL accepts no changes, because default_transaction_read_only is on`,
        `Find out why, then as a superuser: ALTER SYSTEM RESET default_transaction_read_only; SELECT pg_reload_conf(); ` +
          `(or ALTER DATABASE ${database} …, or ALTER ROLE …, where it was set)`,
      );
}

function namesOf(url: string): { user: string; database: string } {
  const { username, pathname } = new URL(url);
  return { user: decodeURIComponent(username), database: decodeURIComponent(pathname.slice(1)) };
}

/** Whether the schema is the one of this version. */
export async function checkSchema({ config }: DoctorContext): Promise<Finding[]> {
  try {
    await withClient(config.databaseUrl ?? config.databaseSystemUrl ?? '', assertMigratedOn);
    return [ok('the schema is up to date')];
  } catch (error) {
    const message = messageOf(error);
    if (/is not migrated/.test(message))
      return [
        fault(message.replace(/: run .*$/, ''), 'Run "vigie migrate" with the DATABASE_URL of the owner'),
      ];
    if (/newer version/.test(message))
      return [
        fault(
          message.replace(/: start that version.*$/, ''),
          'Start that version of Vigie, or restore a backup from before the upgrade (docs/operations.md, "Upgrade")',
        ),
      ];
    return [unreachable(error)];
  }
}

/** Whether a PgBouncer between Vigie and PostgreSQL is configured as one. */
export async function checkPooler({ config }: DoctorContext): Promise<Finding[]> {
  try {
    await checkPostgres(config);
    return [
      ok(
        config.databasePooler === 'transaction'
          ? 'connections go through a PgBouncer in transaction mode'
          : 'connections keep their role and their timeouts',
      ),
    ];
  } catch (error) {
    if (/lead to a PgBouncer/.test(messageOf(error)))
      return [
        fault(
          'the database URLs lead to a PgBouncer, which drops the settings of a connection',
          'Set DATABASE_POOLER=transaction, or name PostgreSQL itself (docs/operations.md, "PgBouncer")',
        ),
      ];
    return [unreachable(error)];
  }
}
