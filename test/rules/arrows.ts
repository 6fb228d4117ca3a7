/**
 * Which room may import which: ARCHITECTURE.md's table of rooms. A room may always import itself; files directly in
 * `src` assemble the rooms and may import all of them.
 */
const WHO = ['tenants', 'users', 'auth'];
const BASE = ['platform', 'contracts'];
const WATCHED = ['deadlines', 'documents', 'tasks'];
const WATCHED_BASE = ['due-items', 'imports', 'notifications', ...WHO, ...BASE];

/**
 * The entry points of delivery for rooms that notify: through the queue, or directly; what its channels report, and what
 * keeps their messages.
 */
const OUTBOX = [
  'delivery/outbox',
  'delivery/sending/direct-sending',
  'delivery/delivery.module',
  'delivery/channels/webhook/endpoints/endpoint-events',
  'delivery/stopped-addresses/stopped-address-events',
  'delivery/stopped-addresses/stopped-address',
  'delivery/decisions.sql',
  'delivery/forgotten-address.sql',
  'delivery/channel-health/channel-waits',
];

/** Room → rooms, or single files without `.ts`, that it may import. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  contracts: [],
  platform: ['contracts'],
  runs: BASE,
  tenants: BASE,
  users: ['tenants', ...BASE],
  wording: BASE,
  // The page of one-time links has its texts in templates/, as mails do.
  auth: ['wording', 'users', 'tenants', ...BASE],
  delivery: ['wording', ...WHO, ...BASE],
  notifications: [...OUTBOX, 'wording', 'runs', ...WHO, ...BASE],
  imports: ['notifications', 'users', 'tenants', ...BASE],
  'due-items': ['imports', 'notifications', 'tenants', ...BASE],
  ...Object.fromEntries(WATCHED.map((room) => [room, WATCHED_BASE])),
  // Its job sends reminders.
  reminders: ['runs', ...WATCHED_BASE],
  backups: ['imports', 'notifications', 'runs', ...WHO, ...BASE],
  digest: [...WATCHED, 'notifications', 'runs', ...WHO, ...BASE],
  overview: [...WATCHED, 'backups', 'notifications', 'runs', 'scheduler', ...WHO, ...BASE],
  scheduler: ['runs', 'tenants', ...BASE],
  realtime: ['notifications', 'auth', ...BASE],
  'front-end': BASE,
};

/** These may import every room except NOBODY. */
const ANYTHING = ['ops', 'cli'];
/** Only the files directly in `src`, and the command line, may import these. */
const NOBODY = ['ops', 'realtime', 'front-end', 'cli'];

/** The fault of an import from `from` to `to` (paths like `src/tasks/tasks.module.ts`), or null. */
export function arrowFault(from: string, to: string): string | null {
  if (!to.startsWith('src/')) return `${from} imports ${to}, which is not in src`;
  const room = roomOf(from);
  const target = roomOf(to);
  if (room === null) return null;
  if (target === null) {
    return room === 'cli' ? null : `${from} imports ${to}: what puts the rooms together is not for them`;
  }
  if (room === target) return channelFault(from, to);
  if (NOBODY.includes(target) && room !== 'cli') return `${from} imports ${to}: nobody imports ${target}`;
  if (/\.entity\.ts$/.test(to)) return `${from} imports ${to}: entities are private to their room, pass ids`;
  if (ANYTHING.includes(room)) return null;
  const allowed = ALLOWED[room];
  if (allowed === undefined) return `${from} is in a room that test/rules/arrows.ts does not know`;
  const file = to.replace(/^src\//, '').replace(/\.ts$/, '');
  if (allowed.includes(target) || allowed.includes(file)) return null;
  return `${from} imports ${to}: ${room} may import ${allowed.join(', ') || 'nothing'}`;
}

/** The folder of `src` that a file is in; null for a file directly in `src`. */
function roomOf(path: string): string | null {
  const [, room, ...rest] = path.split('/');
  return rest.length === 0 ? null : (room ?? null);
}

/** Channels never import each other. */
function channelFault(from: string, to: string): string | null {
  const channel = (path: string) => /^src\/delivery\/channels\/([^/]+)\//.exec(path)?.[1];
  const [one, other] = [channel(from), channel(to)];
  return one === undefined || other === undefined || one === other
    ? null
    : `${from} imports ${to}: channels never import each other`;
}
