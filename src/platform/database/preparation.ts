import type { Config } from '../config/config.js';

/** The two roles of the pools. */
export const POOL_ROLES = ['vigie_app', 'vigie_system'] as const;
export type PoolRole = (typeof POOL_ROLES)[number];

/** The oldest supported PostgreSQL, as `server_version_num`. */
const MIN_VERSION = 150_000;

/** Runs one statement as the owner. */
export type OwnerQuery = <Row>(sql: string, parameters?: unknown[]) => Promise<Row[]>;

/** What the database or its owner lacks. The message has one line per fault, and the SQL that fixes them. */
export class DatabaseNotPrepared extends Error {
  constructor(
    readonly faults: readonly string[],
    readonly remedies: readonly string[],
    database: string,
  ) {
    super(
      [
        'PostgreSQL is not ready for Vigie:',
        ...faults.map((fault) => `  - ${fault}`),
        ...(remedies.length === 0
          ? []
          : [
              `Run this as a superuser, or as the administrator of a managed PostgreSQL, in the database ${database}:`,
              ...remedies.map((remedy) => `  ${remedy}`),
            ]),
        'See docs/operations.md, "Preparing an external PostgreSQL".',
      ].join('\n'),
    );
    this.name = 'DatabaseNotPrepared';
  }
}

interface Facts {
  version: number;
  version_text: string;
  encoding: string;
  owner: string;
  owner_sql: string;
  database: string;
  schema_sql: string | null;
  may_create: boolean | null;
  may_create_roles: boolean;
  superuser: boolean;
}

interface RoleFacts {
  name: PoolRole;
  login: boolean;
  /** The owner may take it on. */
  settable: boolean;
  /** The owner may grant it to itself. */
  grantable: boolean;
}

/** The roles that a pool takes on as the owner, because it has no separate login. */
export function rolesToTakeOn({ databaseAppUrl, databaseSystemUrl }: Config): PoolRole[] {
  return POOL_ROLES.filter((role) => (role === 'vigie_app' ? databaseAppUrl : databaseSystemUrl) === null);
}

/**
 * Checks the owner's rights before anything is changed.
 * @param takenOn the roles that pools take on; the others are logins
 * @param empty whether the tables have yet to be created
 * @throws DatabaseNotPrepared with everything that is missing.
 */
export async function assertPrepared(
  query: OwnerQuery,
  takenOn: readonly PoolRole[],
  empty: boolean,
): Promise<void> {
  const [facts] = await query<Facts>(FACTS);
  if (facts === undefined) throw new Error('PostgreSQL returned no facts about itself');
  if (facts.version < MIN_VERSION)
    throw new DatabaseNotPrepared(
      [`its version is ${facts.version_text}: 15 or later is required`],
      [],
      facts.database,
    );
  const roles = await roleFacts(query, facts.version);
  const missing = [
    ...encodingFaults(facts),
    ...(empty ? schemaFaults(facts) : []),
    ...POOL_ROLES.flatMap((role) => roleFaults(role, roles.get(role), facts, takenOn.includes(role))),
  ];
  if (missing.length === 0) return;
  throw new DatabaseNotPrepared(
    missing.map(({ fault }) => fault),
    missing.flatMap(({ remedy }) => remedy ?? []),
    facts.database,
  );
}

/** Grants the owner these roles if it lacks them and may grant them. */
export async function grantRoles(query: OwnerQuery, takenOn: readonly PoolRole[]): Promise<void> {
  if (takenOn.length === 0) return;
  const [facts] = await query<Facts>(FACTS);
  if (facts === undefined || facts.superuser) return;
  const roles = await roleFacts(query, facts.version);
  for (const role of takenOn) {
    if (roles.get(role)?.settable !== true) await query(grantOf(role, facts));
  }
}

interface Missing {
  fault: string;
  remedy?: string;
}

function encodingFaults({ encoding, database, owner_sql }: Facts): Missing[] {
  if (encoding === 'UTF8') return [];
  return [
    {
      fault: `the database ${database} has the encoding ${encoding}, not UTF8: create another database`,
      remedy: `CREATE DATABASE vigie OWNER ${owner_sql} ENCODING 'UTF8' TEMPLATE template0;`,
    },
  ];
}

function schemaFaults({ schema_sql, may_create, owner, owner_sql, database }: Facts): Missing[] {
  if (may_create === true) return [];
  const schema = schema_sql ?? 'public';
  return [
    {
      fault: `${owner} cannot create tables in the schema ${schema} of ${database}`,
      remedy: `GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${owner_sql};`,
    },
  ];
}

function roleFaults(role: PoolRole, found: RoleFacts | undefined, facts: Facts, takenOn: boolean): Missing[] {
  const { owner, superuser, may_create_roles } = facts;
  if (found === undefined) {
    if (takenOn && (superuser || may_create_roles)) return [];
    const why = takenOn ? `, and ${owner} cannot create it` : ', but its URL is set';
    return [
      { fault: `the role ${role} does not exist${why}`, remedy: createOf(role, takenOn) },
      ...(takenOn ? [{ fault: `${owner} cannot SET ROLE ${role}`, remedy: grantOf(role, facts) }] : []),
    ];
  }
  if (!takenOn)
    return found.login
      ? []
      : [{ fault: `${role} cannot log in`, remedy: `ALTER ROLE ${role} LOGIN PASSWORD '…';` }];
  if (superuser || found.settable || found.grantable) return [];
  return [{ fault: `${owner} cannot SET ROLE ${role}`, remedy: grantOf(role, facts) }];
}

/** NOINHERIT: a login that inherits another role would see everything that role may see. */
const createOf = (role: PoolRole, takenOn: boolean): string =>
  takenOn ? `CREATE ROLE ${role} NOLOGIN NOINHERIT;` : `CREATE ROLE ${role} LOGIN NOINHERIT PASSWORD '…';`;

/** The owner may become the role, but sees nothing of it before; PostgreSQL 15 has no syntax for that. */
const grantOf = (role: PoolRole, { owner_sql, version }: Facts): string =>
  `GRANT ${role} TO ${owner_sql}${version >= 160_000 ? ' WITH INHERIT FALSE, SET TRUE' : ''};`;

async function roleFacts(query: OwnerQuery, version: number): Promise<Map<PoolRole, RoleFacts>> {
  const rows = await query<RoleFacts>(version >= 160_000 ? ROLES : ROLES_15, [POOL_ROLES]);
  return new Map(rows.map((row) => [row.name, row]));
}

const FACTS = `
  SELECT current_setting('server_version_num')::integer AS version, current_setting('server_version') AS version_text,
         current_setting('server_encoding') AS encoding, current_user AS owner, quote_ident(current_user) AS owner_sql,
         current_database() AS database,
         quote_ident(current_schema()) AS schema_sql,
         has_schema_privilege(current_schema(), 'CREATE') AS may_create,
         rolcreaterole AS may_create_roles, rolsuper AS superuser
  FROM pg_roles WHERE rolname = current_user`;

/** $1 the names of the roles */
const ROLES = `
  SELECT rolname AS name, rolcanlogin AS login, pg_has_role(oid, 'SET') AS settable,
         pg_has_role(oid, 'MEMBER WITH ADMIN OPTION') AS grantable
  FROM pg_roles WHERE rolname = ANY ($1)`;

/** Up to PostgreSQL 15 a member may always become the role, and a role that may create roles may grant all of them. */
const ROLES_15 = `
  SELECT rolname AS name, rolcanlogin AS login, pg_has_role(oid, 'MEMBER') AS settable,
         pg_has_role(oid, 'MEMBER WITH ADMIN OPTION')
           OR (SELECT rolcreaterole FROM pg_roles WHERE rolname = current_user) AS grantable
  FROM pg_roles WHERE rolname = ANY ($1)`;
