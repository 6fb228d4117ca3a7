/**
 * Why somebody is notified; stored with the notification, and said in it.
 * `responsible`: it is their item. `unassigned`: nobody is responsible for it, and they are an admin.
 * `alert_recipient`: the tenant named them for what goes wrong, or they are an admin. `addressed`: somebody named
 * them. `self`: it is about themselves, or they asked for it.
 */
export const AUDIENCES = ['responsible', 'unassigned', 'alert_recipient', 'addressed', 'self'] as const;
export type Audience = (typeof AUDIENCES)[number];
