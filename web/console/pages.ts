import type { Role } from './context.js';
import type { PageClass } from './page.js';

export interface Page {
  /**
   * A string literal, as URLPattern writes it: the build gives the server the list, which serves the console at these
   * addresses only.
   */
  readonly path: string;
  /** Unique; its element is `page-<name>`. */
  readonly name: string;
  /** Who sees it; the server decides what they may do. `null`: before signing in. */
  readonly roles: readonly Role[] | null;
  /** Its entry in the navigation, a name in the words of the frame. */
  readonly nav?: NavName;
  /** The entry that is current on a page without one. */
  readonly within?: NavName;
  /** The addresses of items that it shows, by type, for links in mails: `{ task: '/due-items/task/{id}' }`. */
  readonly items?: Readonly<Record<string, string>>;
  readonly load: () => Promise<{ default: PageClass }>;
}

export const NAV_NAMES = [
  'today',
  'due_items',
  'backups',
  'alerts',
  'notifications',
  'people',
  'settings',
  'operator',
] as const;
/** In this order in the navigation. */
export type NavName = (typeof NAV_NAMES)[number];

const ALL = ['member', 'admin', 'operator'] as const;
const TENANT = ['member', 'admin'] as const;
const OPERATOR = ['operator'] as const;
const ADMIN = ['admin'] as const;
const ADMIN_OR_OPERATOR = ['admin', 'operator'] as const;

/** Every page of the console. Add one here; CONTRIBUTING.md has the recipe. */
export const PAGES: readonly Page[] = [
  {
    path: '/',
    name: 'today',
    roles: TENANT,
    nav: 'today',
    load: () => import('./today/today-page.js'),
  },
  {
    path: '/due-items',
    name: 'due-items',
    roles: TENANT,
    nav: 'due_items',
    load: () => import('./due-items/due-items-page.js'),
  },
  {
    path: '/due-items/import',
    name: 'import',
    roles: TENANT,
    within: 'due_items',
    load: () => import('./due-items/import-page.js'),
  },
  {
    path: '/due-items/:kind/:id',
    name: 'due-item',
    roles: TENANT,
    within: 'due_items',
    items: {
      deadline: '/due-items/deadlines/{id}',
      document: '/due-items/documents/{id}',
      task: '/due-items/tasks/{id}',
      ticket: '/due-items/tickets/{id}',
    },
    load: () => import('./due-items/due-item-page.js'),
  },
  {
    path: '/backups',
    name: 'backups',
    roles: TENANT,
    nav: 'backups',
    load: () => import('./backups/backups-page.js'),
  },
  {
    path: '/backups/import',
    name: 'backups-import',
    roles: ADMIN,
    within: 'backups',
    load: () => import('./backups/import-page.js'),
  },
  {
    path: '/backups/:id',
    name: 'backup',
    roles: TENANT,
    within: 'backups',
    items: { backup: '/backups/{id}', backup_job: '/backups/{id}' },
    load: () => import('./backups/backup-page.js'),
  },
  {
    path: '/alerts',
    name: 'alerts',
    roles: TENANT,
    nav: 'alerts',
    load: () => import('./alerts/alerts-page.js'),
  },
  {
    path: '/alerts/:id',
    name: 'alert',
    roles: TENANT,
    within: 'alerts',
    items: { alert: '/alerts/{id}' },
    load: () => import('./alerts/alert-page.js'),
  },
  {
    path: '/items/:type/:id',
    name: 'item',
    roles: TENANT,
    load: () => import('./item-page.js'),
  },
  {
    path: '/settings',
    name: 'settings',
    roles: ADMIN,
    nav: 'settings',
    load: () => import('./settings/settings-page.js'),
  },
  {
    path: '/settings/templates',
    name: 'settings-templates',
    roles: ADMIN,
    within: 'settings',
    load: () => import('./settings/templates-page.js'),
  },
  {
    path: '/settings/templates/:kind/:locale',
    name: 'settings-template',
    roles: ADMIN,
    within: 'settings',
    load: () => import('./settings/template-page.js'),
  },
  {
    path: '/settings/webhooks',
    name: 'settings-webhooks',
    roles: ADMIN,
    within: 'settings',
    load: () => import('./settings/webhooks-page.js'),
  },
  {
    path: '/settings/webhooks/:id',
    name: 'settings-webhook',
    roles: ADMIN,
    within: 'settings',
    load: () => import('./settings/webhook-page.js'),
  },
  {
    path: '/settings/keys',
    name: 'settings-keys',
    roles: ADMIN,
    within: 'settings',
    load: () => import('./settings/keys-page.js'),
  },
  {
    path: '/settings/audit',
    name: 'settings-audit',
    roles: ADMIN,
    within: 'settings',
    load: () => import('./settings/audit-page.js'),
  },
  {
    path: '/settings/stopped-addresses',
    name: 'settings-stopped-addresses',
    roles: ADMIN,
    within: 'settings',
    load: () => import('./settings/stopped-addresses-page.js'),
  },
  {
    path: '/operator',
    name: 'operator',
    roles: OPERATOR,
    nav: 'operator',
    load: () => import('./operator/overview-page.js'),
  },
  {
    path: '/operator/runs',
    name: 'operator-runs',
    roles: OPERATOR,
    within: 'operator',
    load: () => import('./operator/runs-page.js'),
  },
  {
    path: '/operator/runs/:tenant',
    name: 'operator-tenant-runs',
    roles: OPERATOR,
    within: 'operator',
    load: () => import('./operator/tenant-runs-page.js'),
  },
  {
    path: '/operator/runs/:tenant/:job',
    name: 'operator-slots',
    roles: OPERATOR,
    within: 'operator',
    load: () => import('./operator/slots-page.js'),
  },
  {
    path: '/operator/deliveries',
    name: 'operator-deliveries',
    roles: OPERATOR,
    within: 'operator',
    load: () => import('./operator/deliveries-page.js'),
  },
  {
    path: '/operator/queues',
    name: 'operator-queues',
    roles: OPERATOR,
    within: 'operator',
    load: () => import('./operator/queues-page.js'),
  },
  {
    path: '/operator/queues/:queue',
    name: 'operator-queue',
    roles: OPERATOR,
    within: 'operator',
    load: () => import('./operator/queue-page.js'),
  },
  {
    path: '/operator/connections',
    name: 'operator-connections',
    roles: OPERATOR,
    within: 'operator',
    load: () => import('./operator/connections-page.js'),
  },
  {
    path: '/operator/mails',
    name: 'operator-mails',
    roles: OPERATOR,
    within: 'operator',
    load: () => import('./operator/mails-page.js'),
  },
  {
    path: '/operator/mails/:id',
    name: 'operator-mail',
    roles: OPERATOR,
    within: 'operator',
    load: () => import('./operator/mail-page.js'),
  },
  {
    path: '/operator/tenants',
    name: 'operator-tenants',
    roles: OPERATOR,
    within: 'operator',
    load: () => import('./operator/tenants-page.js'),
  },
  {
    path: '/operator/audit',
    name: 'operator-audit',
    roles: OPERATOR,
    within: 'operator',
    load: () => import('./operator/audit-page.js'),
  },
  {
    path: '/notifications',
    name: 'notifications',
    roles: TENANT,
    nav: 'notifications',
    load: () => import('./notifications/notifications-page.js'),
  },
  {
    path: '/notifications/:id',
    name: 'notification',
    roles: TENANT,
    within: 'notifications',
    items: { notification: '/notifications/{id}' },
    load: () => import('./notifications/notification-page.js'),
  },
  {
    path: '/why',
    name: 'why',
    roles: ADMIN_OR_OPERATOR,
    within: 'notifications',
    load: () => import('./why/why-page.js'),
  },
  {
    path: '/preview',
    name: 'preview',
    roles: ADMIN_OR_OPERATOR,
    within: 'notifications',
    load: () => import('./preview/preview-page.js'),
  },
  {
    path: '/people',
    name: 'people',
    roles: ADMIN,
    nav: 'people',
    load: () => import('./people/people-page.js'),
  },
  {
    path: '/people/new',
    name: 'new-person',
    roles: ADMIN,
    within: 'people',
    load: () => import('./people/new-person-page.js'),
  },
  {
    path: '/people/:id',
    name: 'person',
    roles: TENANT,
    within: 'people',
    load: () => import('./people/person-page.js'),
  },
  {
    path: '/account',
    name: 'account',
    roles: ALL,
    load: () => import('./sign-in/account-page.js'),
  },
  {
    path: '/sign-in',
    name: 'sign-in',
    roles: null,
    load: () => import('./sign-in/sign-in-page.js'),
  },
  {
    path: '/first-run',
    name: 'first-run',
    roles: null,
    load: () => import('./sign-in/first-run-page.js'),
  },
];
