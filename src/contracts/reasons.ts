/** The steps from a check to a provider's report, in their order. */
export const STEPS = [
  'check',
  'fact',
  'alert',
  'recipient',
  'preference',
  'address',
  'hours',
  'limit',
  'bundle',
  'channel',
  'attempt',
  'report',
] as const;
export type Step = (typeof STEPS)[number];

/**
 * What a reason means for the message: the next step follows, it waits, it ends without being sent, or it has reached
 * its recipient.
 */
export const STEP_OUTCOMES = ['continues', 'waits', 'ends', 'arrives'] as const;
export type StepOutcome = (typeof STEP_OUTCOMES)[number];

/** Where the console shows what decided; `{…}` are ids of the case. */
export const SETTING_PATHS = {
  item: '/items/{item_type}/{item_id}',
  alert: '/alerts/{alert_id}',
  notification: '/notifications/{notification_id}',
  bundle: '/notifications?bundle_id={bundle_id}',
  person: '/people/{user_id}',
  schedule: '/settings#schedule',
  stages: '/settings#stages',
  sending: '/settings#sending',
  backups: '/settings#backups',
  tenant_preferences: '/settings#preferences',
  stopped_addresses: '/settings/stopped-addresses',
  endpoint: '/settings/webhooks/{endpoint_id}',
  audit: '/settings/audit',
  connections: '/operator/connections',
  queue: '/operator/queues/{queue}',
  runs: '/operator/runs/{tenant}',
  tenants: '/operator/tenants',
} as const;
export type Setting = keyof typeof SETTING_PATHS;

interface ReasonDeclaration {
  step: Step;
  outcome: StepOutcome;
  /** What decided; null where nothing can be set. */
  setting: Setting | null;
}

/**
 * Every reason for sending and not sending a message, once. The words are in `templates/<locale>/reasons.json`, for the
 * API, the command line and the front end. Literal strings, because many are stored: in `deliveries.reason` and
 * `.defer_reason`, `delivery_events.reason`, and `notifications.audience`.
 */
export const REASONS = {
  checked: { step: 'check', outcome: 'continues', setting: 'schedule' },
  written: { step: 'check', outcome: 'continues', setting: null },
  nothing_recorded: { step: 'check', outcome: 'ends', setting: 'schedule' },
  not_checked_yet: { step: 'check', outcome: 'waits', setting: 'schedule' },
  check_failed: { step: 'check', outcome: 'ends', setting: 'runs' },
  tenant_suspended: { step: 'check', outcome: 'ends', setting: 'tenants' },

  fact_holds: { step: 'fact', outcome: 'continues', setting: 'item' },
  not_due_yet: { step: 'fact', outcome: 'waits', setting: 'stages' },
  item_ended: { step: 'fact', outcome: 'ends', setting: 'item' },
  fact_gone: { step: 'fact', outcome: 'ends', setting: 'item' },

  opened: { step: 'alert', outcome: 'continues', setting: 'alert' },
  stage_reached: { step: 'alert', outcome: 'continues', setting: 'stages' },
  repeated: { step: 'alert', outcome: 'continues', setting: 'backups' },
  already_notified: { step: 'alert', outcome: 'ends', setting: 'notification' },
  stage_sent: { step: 'alert', outcome: 'ends', setting: 'notification' },
  superseded: { step: 'alert', outcome: 'ends', setting: 'alert' },
  acknowledged: { step: 'alert', outcome: 'ends', setting: 'alert' },
  snoozed: { step: 'alert', outcome: 'ends', setting: 'alert' },
  resolved: { step: 'alert', outcome: 'ends', setting: 'alert' },

  responsible: { step: 'recipient', outcome: 'continues', setting: 'item' },
  unassigned: { step: 'recipient', outcome: 'continues', setting: 'item' },
  alert_recipient: { step: 'recipient', outcome: 'continues', setting: 'sending' },
  addressed: { step: 'recipient', outcome: 'continues', setting: null },
  self: { step: 'recipient', outcome: 'continues', setting: null },
  endpoint: { step: 'recipient', outcome: 'continues', setting: 'endpoint' },
  not_responsible: { step: 'recipient', outcome: 'ends', setting: 'item' },
  not_admin: { step: 'recipient', outcome: 'ends', setting: 'person' },
  not_alert_recipient: { step: 'recipient', outcome: 'ends', setting: 'sending' },
  not_addressed: { step: 'recipient', outcome: 'ends', setting: null },
  recipient_later: { step: 'recipient', outcome: 'ends', setting: 'person' },
  endpoint_kinds: { step: 'recipient', outcome: 'ends', setting: 'endpoint' },
  user_erased: { step: 'recipient', outcome: 'ends', setting: 'audit' },

  on_by_user: { step: 'preference', outcome: 'continues', setting: 'person' },
  on_by_tenant: { step: 'preference', outcome: 'continues', setting: 'tenant_preferences' },
  channel_chosen: { step: 'preference', outcome: 'continues', setting: null },
  on_by_default: { step: 'preference', outcome: 'continues', setting: 'tenant_preferences' },
  always_sent: { step: 'preference', outcome: 'continues', setting: null },
  critical: { step: 'preference', outcome: 'continues', setting: null },
  on_then: { step: 'preference', outcome: 'continues', setting: 'person' },
  preference: { step: 'preference', outcome: 'ends', setting: 'person' },
  tenant_preference: { step: 'preference', outcome: 'ends', setting: 'tenant_preferences' },
  kind_off: { step: 'preference', outcome: 'ends', setting: 'tenant_preferences' },
  turned_on_later: { step: 'preference', outcome: 'ends', setting: 'person' },
  channel_unsuited: { step: 'preference', outcome: 'ends', setting: null },

  address_known: { step: 'address', outcome: 'continues', setting: 'person' },
  no_address: { step: 'address', outcome: 'ends', setting: 'person' },
  no_device: { step: 'address', outcome: 'ends', setting: 'person' },
  address_stopped: { step: 'address', outcome: 'ends', setting: 'stopped_addresses' },
  address_bounced: { step: 'address', outcome: 'ends', setting: 'stopped_addresses' },
  address_complained: { step: 'address', outcome: 'ends', setting: 'stopped_addresses' },
  address_opted_out: { step: 'address', outcome: 'ends', setting: 'stopped_addresses' },
  endpoint_disabled: { step: 'address', outcome: 'ends', setting: 'endpoint' },
  endpoint_deleted: { step: 'address', outcome: 'ends', setting: 'audit' },
  link_ended: { step: 'address', outcome: 'ends', setting: 'person' },

  send_at: { step: 'hours', outcome: 'waits', setting: null },
  operating_hours: { step: 'hours', outcome: 'waits', setting: 'sending' },
  quiet_hours: { step: 'hours', outcome: 'waits', setting: 'person' },
  user_paused: { step: 'hours', outcome: 'waits', setting: 'person' },

  limit_per_user_per_hour: { step: 'limit', outcome: 'waits', setting: 'sending' },
  limit_per_user_per_day: { step: 'limit', outcome: 'waits', setting: 'sending' },
  limit_per_tenant_per_hour: { step: 'limit', outcome: 'waits', setting: 'tenants' },
  limit_per_tenant_per_day: { step: 'limit', outcome: 'waits', setting: 'tenants' },
  limit_per_channel_per_minute: { step: 'limit', outcome: 'waits', setting: 'queue' },

  bundled: { step: 'bundle', outcome: 'continues', setting: 'bundle' },

  channel_not_configured: { step: 'channel', outcome: 'ends', setting: 'connections' },
  channel_up: { step: 'channel', outcome: 'continues', setting: 'connections' },
  channel_off: { step: 'channel', outcome: 'waits', setting: 'connections' },
  channel_down: { step: 'channel', outcome: 'waits', setting: 'connections' },
  paused: { step: 'channel', outcome: 'waits', setting: 'queue' },
  queued: { step: 'channel', outcome: 'waits', setting: 'queue' },
  purged: { step: 'channel', outcome: 'ends', setting: 'audit' },
  discarded: { step: 'channel', outcome: 'ends', setting: 'audit' },
  expired: { step: 'channel', outcome: 'ends', setting: 'connections' },

  sending: { step: 'attempt', outcome: 'waits', setting: 'notification' },
  retry: { step: 'attempt', outcome: 'waits', setting: 'notification' },
  lease_expired: { step: 'attempt', outcome: 'waits', setting: 'queue' },
  restored: { step: 'attempt', outcome: 'continues', setting: 'alert' },
  retried_by_operator: { step: 'attempt', outcome: 'continues', setting: 'audit' },
  replayed: { step: 'attempt', outcome: 'continues', setting: 'endpoint' },
  failed: { step: 'attempt', outcome: 'ends', setting: 'notification' },
  unknown: { step: 'attempt', outcome: 'ends', setting: 'notification' },
  in_inbox: { step: 'attempt', outcome: 'arrives', setting: 'notification' },
  sent: { step: 'attempt', outcome: 'arrives', setting: 'notification' },

  delivered: { step: 'report', outcome: 'arrives', setting: 'notification' },
  delayed: { step: 'report', outcome: 'waits', setting: 'notification' },
  bounced: { step: 'report', outcome: 'ends', setting: 'notification' },
  complained: { step: 'report', outcome: 'arrives', setting: 'stopped_addresses' },
  opted_out: { step: 'report', outcome: 'arrives', setting: 'stopped_addresses' },
  opted_in: { step: 'report', outcome: 'arrives', setting: 'stopped_addresses' },
} as const satisfies Record<string, ReasonDeclaration>;

export type Reason = keyof typeof REASONS;
export const REASON_CODES = Object.keys(REASONS) as readonly Reason[];

/** The declaration of a stored reason; null if this version does not have it. */
export function reasonDeclaration(code: string): ReasonDeclaration | null {
  return isReason(code) ? REASONS[code] : null;
}

export function isReason(code: string): code is Reason {
  return Object.hasOwn(REASONS, code);
}

/** Ids and names of a case, for the path of a setting. */
export type SettingIds = Readonly<Record<string, string | null | undefined>>;

/** The console's path to what decided; null if nothing can be set, or an id of the path is unknown. */
export function settingPath(reason: Reason, ids: SettingIds): string | null {
  const { setting }: ReasonDeclaration = REASONS[reason];
  if (setting === null) return null;
  const path: string = SETTING_PATHS[setting];
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  if (names.some((name) => (ids[name] ?? null) === null)) return null;
  return path.replaceAll(/\{(\w+)\}/g, (_placeholder, name: string) => encodeURIComponent(ids[name] ?? ''));
}
