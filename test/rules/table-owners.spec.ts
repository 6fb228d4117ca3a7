import { productSources, type SourceFile } from './sources.js';

/*
 * H14: which room writes each table, and which others read it, why. A room that reads another's table in its own SQL
 * depends on its columns: each such pair is a decision, listed here. An erasure replaces texts in any table
 * (ops/privacy/erasure/text-tables.ts), by statements that name no table.
 */

/** The only folder or file whose SQL writes the table. */
const OWNERS: Record<string, string> = {
  alerts: 'src/notifications/alerts/',
  notifications: 'src/notifications/',
  inboxes: 'src/notifications/',
  channel_fallbacks: 'src/notifications/channel-fallbacks.ts',
  deliveries: 'src/delivery/',
  delivery_events: 'src/delivery/transitions/',
  channels: 'src/delivery/',
  dead_letter_acts: 'src/delivery/admin/dead-letter-acts.ts',
  devices: 'src/delivery/channels/push/',
  erasures: 'src/ops/privacy/erasure/',
  workers: 'src/delivery/dispatch/presence.ts',
  preferences: 'src/users/preferences/',
  tenant_preferences: 'src/users/preferences/',
  quiet_hours: 'src/users/preferences/',
  users: 'src/users/',
  tenant_templates: 'src/wording/tenant-templates/',
  backup_entries: 'src/backups/',
  backup_jobs: 'src/backups/',
  backup_notes: 'src/backups/notes/',
  backup_reports: 'src/backups/',
  import_rows: 'src/imports/',
  import_faults: 'src/imports/',
  imports: 'src/imports/',
  reminders: 'src/reminders/',
  tickets: 'src/reminders/',
  sessions: 'src/auth/sessions/',
  password_links: 'src/auth/password/',
  api_keys: 'src/auth/',
  webhook_endpoints: 'src/delivery/channels/webhook/',
  webhook_attempts: 'src/delivery/channels/webhook/',
};

/** Rooms other than the owner's that read a table, and why. */
const READERS: Record<string, Record<string, string>> = {
  alerts: {
    delivery: 'a claim leaves out items whose fact is gone',
    backups: 'the board shows which incidents stand',
    ops: 'the trace finds the alert of what somebody asks about',
  },
  backup_jobs: { ops: 'the trace finds a backup by its name' },
  notifications: {
    delivery: 'a claim takes what a message says; acts find the deliveries of an alert',
    ops: 'the trace finds what a recipient was notified of',
    wording: 'whether messages use a template that an admin deletes',
  },
  deliveries: {
    notifications: 'people see what happened to what they sent or received',
    ops: 'statistics of a tenant, and counts in the list of tenants',
  },
  delivery_events: {
    notifications: 'people see why a delivery waited or failed',
    ops: 'the export of a person',
  },
  preferences: { delivery: 'the outbox suppresses what a user has turned off' },
  tenant_preferences: { delivery: 'the outbox suppresses what a tenant has turned off for its users' },
  quiet_hours: { delivery: 'the dispatcher defers what is not critical' },
  users: {
    auth: 'finds who logs in',
    backups: 'who takes care of an incident, and who wrote a note',
    delivery: 'addresses, locales, zones and bundling of recipients; names of authors',
    'due-items': 'an import names the responsible by address',
    notifications: 'who is notified',
    ops: 'counts in the list of tenants; the trace finds a user by their address',
    overview: 'names who is responsible',
    reminders: 'the zone in which a reminder is due',
  },
  tickets: { notifications: 'a message may be about a ticket' },
  webhook_endpoints: {
    notifications: 'people see which endpoint was called, or would be',
    ops: 'the trace says which kinds an endpoint asks for',
  },
  password_links: {
    delivery: 'a mail whose one-time link has ended is not sent',
  },
  import_rows: {
    backups: 'lands the staged lines of its own kind',
    'due-items': 'lands the staged lines of its own kinds',
  },
  imports: { ops: 'cleanup deletes old ones' },
};

/** The only folder that changes the state of deliveries. */
const TRANSITIONS = 'src/delivery/transitions/';

const WRITES = /\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+([a-z_]+)/g;
const READS = /\b(?:FROM|JOIN)\s+([a-z_]+)/g;

const sources = productSources().filter(
  ({ path }) => !path.startsWith('src/cli/') && !path.startsWith('src/platform/database/'),
);

function tablesOf(source: SourceFile, pattern: RegExp): string[] {
  return [...source.text.matchAll(pattern)].flatMap(([, table]) => (table !== undefined ? [table] : []));
}

/** The room of a file: its folder under src. */
const roomOf = (path: string): string => path.split('/')[1] ?? '';

describe('H14: tables', () => {
  it('are written only by their owner', () => {
    const foreign = sources.flatMap((source) =>
      tablesOf(source, WRITES).flatMap((table) => {
        const owner = OWNERS[table];
        return owner === undefined || source.path.startsWith(owner) ? [] : [`${source.path} writes ${table}`];
      }),
    );
    expect(foreign).toEqual([]);
  });

  it('are read by other rooms only for a listed reason', () => {
    const found = new Set<string>();
    for (const source of sources) {
      for (const table of tablesOf(source, READS)) {
        const owner = OWNERS[table];
        if (owner === undefined || roomOf(owner) === roomOf(source.path)) continue;
        found.add(`${table}: ${roomOf(source.path)}`);
      }
    }
    const listed = Object.entries(READERS).flatMap(([table, rooms]) =>
      Object.keys(rooms).map((room) => `${table}: ${room}`),
    );
    expect([...found].sort()).toEqual(listed.sort());
  });

  it('deliveries change state in one folder, and are created in one file', () => {
    const moved = sources.filter((source) => /\bUPDATE\s+deliveries\b/.test(source.text));
    expect(moved.map(({ path }) => path).filter((path) => !path.startsWith(TRANSITIONS))).toEqual([]);
    expect(moved.length).toBeGreaterThan(0);
    const created = sources.filter((source) => /\bINSERT\s+INTO\s+deliveries\b/.test(source.text));
    expect(created.map(({ path }) => path)).toEqual(['src/delivery/outbox.ts']);
  });
});
