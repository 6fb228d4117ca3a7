import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DATABASE_FIELDS } from '../../src/backups/reports/database-fields.js';
import { SCHEMA } from '../../src/platform/config/schema.js';
import { createWorld, type World } from '../support/world.js';
import { routesOf } from './routes.js';
import { filesUnder, ROOT } from './sources.js';

const PAGE = readFileSync(join(ROOT, 'docs/migration.md'), 'utf8');

/** The rows of all tables: the old systems' name, ours, and the difference. */
const rows = PAGE.split('\n').flatMap((line) => {
  const cells = line.split('|').map((cell) => cell.trim());
  const [, was, here, differs] = cells;
  return cells.length === 5 && !/^-+$/.test(was ?? '') && here !== 'Here'
    ? [{ was: was ?? '', here: here ?? '', differs: differs ?? '' }]
    : [];
});

/** The names in backticks, and whether "(not yet)" follows. */
function named(text: string, pattern: RegExp): { name: string; not_yet: boolean }[] {
  return [...text.matchAll(/`([^`]+)`( \(not yet\))?/g)].flatMap(([, name = '', marked]) =>
    pattern.test(name) ? [{ name, not_yet: marked !== undefined }] : [],
  );
}

const ENDPOINT = /^(GET|POST|PUT|PATCH|DELETE) \//;

describe('docs/migration.md', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.close());

  /** `GET /api/v1/notifications/{id}`: whether such a route exists, whatever its parameters' names. */
  function isServed(endpoint: string): boolean {
    const [method = '', path = ''] = endpoint.split(' ');
    const shape = (text: string) => text.replace(/\{\w+\}|:\w+/g, ':');
    return (
      routesOf(world).some((route) => route.method === method && shape(route.path) === shape(path)) ||
      world.app.getHttpAdapter().getInstance().hasRoute({ method, url: path })
    );
  }

  it('names existing endpoints, or marks them as missing', () => {
    // The first column has the old systems' names.
    const ours = rows.map(({ here, differs }) => `${here} ${differs}`).join('\n');
    const prose = PAGE.split('\n')
      .filter((line) => !line.startsWith('|'))
      .join('\n');
    const endpoints = named(`${ours}\n${prose}`, ENDPOINT);
    expect(endpoints.length).toBeGreaterThan(40);
    const absent = endpoints.filter(({ name, not_yet }) => !not_yet && !isServed(name));
    expect(absent.map(({ name }) => name)).toEqual([]);
    const here = endpoints.filter(({ name, not_yet }) => not_yet && isServed(name));
    expect({ no_longer_to_come: here.map(({ name }) => name) }).toEqual({ no_longer_to_come: [] });
  });

  it('D6: names existing fields of backup entries', async () => {
    const section = PAGE.slice(PAGE.indexOf('### Fields of an entry'), PAGE.indexOf('## Notofine'));
    const renamed = [...section.matchAll(/^\| `(\w+)` +\| `(\w+)` +\|/gm)].map(([, was, here]) => ({
      was,
      here,
    }));
    expect(renamed).toHaveLength(8);
    const { body } = await world.http('GET', '/openapi.json');
    const { BackupEntry } = (body as { components: { schemas: Record<string, { properties: object }> } })
      .components.schemas;
    const fields = Object.keys(BackupEntry!.properties);
    expect(renamed.filter(({ here }) => !fields.includes(here!))).toEqual([]);
    // A renamed field must not exist under its old name.
    expect(renamed.filter(({ was }) => fields.includes(was!))).toEqual([]);
    // STATUS.json's fields keep their names.
    expect(DATABASE_FIELDS.filter((field) => !fields.includes(field))).toEqual([]);
  });

  it('has every alias of a variable, with its current name', () => {
    for (const { env, aliases } of Object.values(SCHEMA)) {
      for (const alias of aliases) {
        const found = rows.some(
          ({ was, here }) => was.includes(`\`${alias}\``) && here.includes(`\`${env}\``),
        );
        expect([alias, found]).toEqual([alias, true]);
      }
    }
  });

  it('names only variables that are read', () => {
    const known = new Set(Object.values(SCHEMA).flatMap(({ env, aliases }) => [env, ...aliases]));
    const section = PAGE.split(/^(?=## )/m).find((part) => part.startsWith('## Variables')) ?? '';
    for (const line of section.split('\n').filter((text) => text.startsWith('| `'))) {
      const [, was = '', here = ''] = line.split('|');
      const read = named(here.includes('the same') ? was : here, /^[A-Z_]+$/);
      const later = here.includes('(not yet)') ? named(was, /^[A-Z_]+$/) : [];
      expect(read.map(({ name }) => name).filter((name) => !known.has(name))).toEqual([]);
      expect(later.map(({ name }) => name).filter((name) => known.has(name))).toEqual([]);
    }
  });

  it('names every feature of the old systems', () => {
    for (const old of OLD_NAMES) expect([old, PAGE.includes(old)]).toEqual([old, true]);
  });

  it('links to existing templates and pages', () => {
    const kinds = rows.flatMap(({ was, here }) => (was.startsWith('template `') ? named(here, /^\w+$/) : []));
    for (const { name } of kinds) expect(filesUnder('templates')).toContain(`templates/fr/${name}.html.hbs`);
    for (const [, target = ''] of PAGE.matchAll(/\]\(([^)#]+)/g)) {
      expect([target, existsSync(join(ROOT, 'docs', target))]).toEqual([target, true]);
    }
  });
});

/** The old systems' names, word for word. */
const OLD_NAMES = [
  '`POST /notifications/`',
  '`GET /notifications/`',
  '`GET /notifications/{id}`',
  '`POST /notifications/envoyer-immediatement`',
  '`GET /notifications/statistiques/globales`',
  '`POST /admin/notifications/traiter-en-attente`',
  '`GET /admin/notifications/statistiques-dispatcher`',
  '`GET /admin/notifications/test-connexions`',
  '`GET /admin/notifications/configuration`',
  '`GET /admin/notifications/scheduler/status`',
  '`POST /admin/notifications/scheduler/trigger/{job_id}`',
  '`process_notifications`',
  ...['type', 'destinataire', 'sujet', 'contenu', 'envoyer_immediatement'].map((field) => `\`${field}\``),
  ...['HOST', 'PORT', 'USERNAME', 'USER', 'PASSWORD', 'FROM_EMAIL', 'FROM_NAME', 'TLS', 'SSL'].map(
    (name) => `\`SMTP_${name}\``,
  ),
  ...['HOST', 'PORT', 'USERNAME', 'PASSWORD', 'SENDER'].map((name) => `\`EMAIL_${name}\``),
  ...['ADMIN_EMAIL_RECIPIENT', 'SMS_PROVIDER', 'TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN'].map(
    (name) => `\`${name}\``,
  ),
  '`NOTIFICATION_LOG_LEVEL`',
  '`NOTIFICATION_SCHEDULER_INTERVAL`',
  '`config/notifications.yml`',
  ...['notifications.enabled', 'email.retry.max_attempts', 'email.retry.retry_delay_seconds'],
  ...['scheduler.check_interval_seconds', 'scheduler.batch_size', 'cleanup.enabled'],
  ...['cleanup.delete_sent_after_days', 'cleanup.delete_failed_after_days', 'cleanup.archive_before_delete'],
  '`scripts/test-notifications.sh`',
  'send_notification_now(user_id, notification_type, destinataire, sujet, contenu)',
  '`ws://…/ws/notifications`',
  ...['echeance_proche', 'documents_manquants', 'taches_retard', 'welcome', 'test', 'base'].map(
    (template) => `\`${template}\``,
  ),
  ...[
    '`celery inspect active`',
    '`celery inspect scheduled`',
    '`celery inspect stats`',
    '`celery purge`',
    'Flower',
  ],
  ...['`--concurrency`', '`--max-tasks-per-child`'],
  ...['`send_email_notification`', '`notify_backup_status_change`'],
  ...['SUCCESS', 'FAILED', 'MISSING', 'HASH_MISMATCH', 'TRANSFER_INTEGRITY_FAILED', 'OK', 'UNKNOWN'].map(
    (status) => `\`${status}\``,
  ),
  '`POST /users/{id}/reminders`',
  '`GET /users/{id}/reminders`',
  '`POST /reminders/process`',
  '`POST /notifications/send`',
  '`GET /users/{id}/notifications?limit=10`',
  'an hourly cron',
];
