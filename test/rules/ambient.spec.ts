import ts from 'typescript';
import { parse, productSources, type SourceFile, walk } from './sources.js';

/**
 * What a file must not access directly, but get injected: the environment, the time, the database. Each list names the
 * exceptions, and why; an entry that is no longer needed also fails.
 */

const ENVIRONMENT_READERS = {
  'src/main.ts': 'starts the server, and hands the environment to readConfig',
};

const TIME_READERS = {
  'src/platform/clock/clock.ts': 'is the clock',
  'src/platform/embedded/lock.ts': 'compares with the times of files, before there is an application',
};

const DATA_SOURCE_HOLDERS = {
  'src/platform/database/database.ts': 'hands out transactions',
  'src/platform/database/connections.ts': 'lends the connections of a pool to them',
  'src/platform/database/migrate.ts': 'migrates as the owner, before there is an application',
  'src/platform/database/database.module.ts': 'sets how the driver reads dates and counts',
  'src/platform/database/reach.ts': 'looks at the schema, before there is an application',
  'src/platform/database/one-client.ts':
    'connects outside the pools: before there is an application, and for the doctor',
  'src/platform/embedded/logins.ts': 'makes the logins of the embedded PostgreSQL',
};

const SYSTEM_DATABASE_USERS: Record<string, string> = {
  'src/platform/database/database.ts': 'defines it',
  'src/platform/database/database.module.ts': 'provides it',
  'src/platform/audit/audit-log.ts': 'writes down acts of whatever tenant, and of operators, who have none',
  'src/backups/store/backup-store.ts':
    'asks whether any tenant has a stored backup: an empty folder is then not a new store',
  'src/tenants/tenants.service.ts': 'is what operators do with all tenants',
  'src/tenants/tenant-directory.ts': 'finds a tenant by its slug or id, before there is a tenant transaction',
  'src/tenants/time-zones.ts': 'reads the names of zones, which belong to no tenant',
  'src/auth/authenticator.ts':
    'finds who a token or key is, of whatever tenant, and of operators, who have none',
  'src/auth/sessions/console-sessions.ts': 'keeps the sessions of operators, who belong to no tenant',
  'src/auth/operators.ts': 'reads and makes operators, who belong to no tenant',
  'src/auth/sessions/open-sessions.ts': 'shows operators their own sessions, which belong to no tenant',
  'src/auth/sessions/sessions.ts': 'keeps the sessions of operators, who belong to no tenant',
  'src/delivery/admin/dead-letter-acts.ts':
    'requeues and discards dead letters of all tenants, for operators',
  'src/delivery/admin/delivery-jobs.ts': 'shows operators the deliveries of all tenants, by their ids',
  'src/delivery/admin/delivery-outcomes.ts': 'counts how the deliveries of all tenants ended, for operators',
  'src/delivery/admin/delivery-queues.ts':
    'pauses, purges and counts the deliveries of all tenants, for operators',
  'src/delivery/channel-health/channel-health.ts': 'keeps the state of channels, which belong to no tenant',
  'src/delivery/dispatch/dispatcher.ts': 'takes turns over all tenants in one round',
  'src/delivery/provider-events/event-matches.ts':
    'finds the delivery of an event, because providers know no tenant, and the events that were handled',
  'src/delivery/dispatch/minute-limit.ts': 'counts what all tenants together sent in the last minute',
  'src/delivery/sending/direct-sending.ts': 'asks whether a channel is paused',
  'src/delivery/sending/leases.ts': 'claims, renews and records deliveries of many tenants in one statement',
  'src/delivery/admin/hastening.ts': 'makes due what waits for its next attempt, of one tenant or of all',
  'src/delivery/admin/open-deliveries.ts': 'counts what waits over all tenants, for the metrics',
  'src/delivery/dispatch/presence.ts': 'keeps the list of workers, which belongs to no tenant',
  'src/delivery/admin/processing.ts': 'follows what is pending of one tenant or, for operators, of all',
  'src/ops/health/connections.service.ts': 'tests the connection itself',
  'src/ops/health/gauges.ts': 'measures how busy its pool is',
  'src/ops/privacy/erasure/erasure-work.ts': 'finds the erasures of all tenants that are not finished',
  'src/ops/tenants/tenant-list.service.ts': 'lists all tenants with their counts, for operators',
  'src/runs/run-history.ts': 'shows operators what ran for all tenants',
  'src/runs/run-jobs.ts': 'shows operators the runs of all tenants',
  'src/runs/run-ledger.ts': 'finds which slots of all tenants are owed, and runs that were lost',
  'src/runs/run-queues.ts': 'pauses, purges and counts the runs of all tenants, for operators',
};

/** Compares the files in which `uses` finds something with the exceptions. */
function check(uses: (source: SourceFile) => boolean, allowed: Record<string, string>) {
  // The command line acts for a person: it may access everything.
  const users = productSources()
    .filter(({ path }) => !path.startsWith('src/cli/'))
    .filter(uses)
    .map(({ path }) => path);
  return {
    forbidden: users.filter((path) => !(path in allowed)),
    no_longer_needed: Object.keys(allowed).filter((path) => !users.includes(path)),
  };
}

const NOTHING = { forbidden: [], no_longer_needed: [] };

function readsEnvironment(source: SourceFile): boolean {
  return (
    contains(source, (node) => isMember(node, 'process', 'env')) ||
    source.imported.some(({ from, name }) => /^(node:)?process$/.test(from) && name !== 'default')
  );
}

function readsTime(source: SourceFile): boolean {
  return contains(source, (node) => {
    if (['now', 'local', 'utc'].some((member) => isMember(node, 'DateTime', member))) return true;
    if (isMember(node, 'Date', 'now')) return true;
    if (!ts.isNewExpression(node) && !ts.isCallExpression(node)) return false;
    if (!ts.isIdentifier(node.expression) || node.expression.text !== 'Date') return false;
    return ts.isCallExpression(node) || (node.arguments?.length ?? 0) === 0;
  });
}

function holdsDataSource({ imported }: SourceFile): boolean {
  const names: Record<string, string[]> = {
    typeorm: ['DataSource', 'EntityManager', 'getMetadataArgsStorage', '*'],
    '@nestjs/typeorm': [
      'InjectDataSource',
      'InjectEntityManager',
      'InjectRepository',
      'getDataSourceToken',
      'getRepositoryToken',
      'getEntityManagerToken',
      '*',
    ],
  };
  return imported.some(({ from, name }) => from === 'pg' || (names[from]?.includes(name) ?? false));
}

function usesSystemDatabase(source: SourceFile): boolean {
  return contains(source, (node) => ts.isIdentifier(node) && node.text === 'SystemDatabase');
}

function contains({ tree }: SourceFile, predicate: (node: ts.Node) => boolean): boolean {
  const hits: ts.Node[] = [];
  walk(tree, (node) => {
    if (predicate(node)) hits.push(node);
  });
  return hits.length > 0;
}

function isMember(node: ts.Node, object: string, member: string): boolean {
  const named = ts.isPropertyAccessExpression(node)
    ? node.name.text
    : ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression)
      ? node.argumentExpression.text
      : null;
  const target =
    ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node) ? node.expression : null;
  return named === member && target !== null && ts.isIdentifier(target) && target.text === object;
}

it('only the start reads the environment', () => {
  expect(check(readsEnvironment, ENVIRONMENT_READERS)).toEqual(NOTHING);
});

it('only the clock reads the time', () => {
  expect(check(readsTime, TIME_READERS)).toEqual(NOTHING);
});

it('only the file that provides transactions holds a data source', () => {
  expect(check(holdsDataSource, DATA_SOURCE_HOLDERS)).toEqual(NOTHING);
});

it('only these files work across tenants', () => {
  expect(check(usesSystemDatabase, SYSTEM_DATABASE_USERS)).toEqual(NOTHING);
});

describe('the detectors', () => {
  const source = (text: string) => parse('src/x/x.ts', text);

  it.each([
    ['const a = process.env.PORT', readsEnvironment],
    ["const a = process['env']", readsEnvironment],
    ["import { env } from 'node:process'", readsEnvironment],
    ['const a = new Date()', readsTime],
    ['const a = new Date', readsTime],
    ['const a = Date()', readsTime],
    ['const a = Date.now()', readsTime],
    ['const f = Date.now;', readsTime],
    ['const a = DateTime.now()', readsTime],
    ["import { DataSource } from 'typeorm'", holdsDataSource],
    ["import { DataSource as D } from 'typeorm'", holdsDataSource],
    ["import * as t from 'typeorm'", holdsDataSource],
    ["import { InjectRepository } from '@nestjs/typeorm'", holdsDataSource],
    ["import pg from 'pg'", holdsDataSource],
    ['class A { constructor(private d: SystemDatabase) {} }', usesSystemDatabase],
  ])('see %p', (text, detector) => {
    expect(detector(source(text))).toBe(true);
  });

  it.each([
    ['const a = new Date(5)', readsTime],
    ['// new Date()\nconst a = "Date.now()"', readsTime],
    ['/** process.env */ const a = 1', readsEnvironment],
    ["import { Entity } from 'typeorm'", holdsDataSource],
    ["import { TypeOrmModule } from '@nestjs/typeorm'", holdsDataSource],
  ])('do not mistake %p', (text, detector) => {
    expect(detector(source(text))).toBe(false);
  });
});
