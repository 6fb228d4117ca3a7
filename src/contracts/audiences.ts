/**
 * Why somebody is notified; stored with the notification, and shown in it.
 * `responsible`: it is their item. `unassigned`: nobody is responsible for it, and they are an admin.
 * `alert_recipient`: the tenant's alert recipient, or an admin. `addressed`: the sender named them. `self`: it is about
 * themselves, or they asked for it. `endpoint`: a webhook endpoint of the tenant, not a person.
 */
export const AUDIENCES = [
  'responsible',
  'unassigned',
  'alert_recipient',
  'addressed',
  'self',
  'endpoint',
] as const;
export type Audience = (typeof AUDIENCES)[number];
