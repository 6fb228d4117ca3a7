import { randomUUID } from 'node:crypto';
import { addPerson, addTenant, type Person } from '../../../test/support/cast.js';
import type { World } from '../../../test/support/world.js';
import type { NotificationKind } from '../../contracts/kinds.js';
import type { Severity } from '../../contracts/severities.js';
import { Database } from '../../platform/database/database.js';
import { Notifications } from '../notifications.service.js';

/** The recipient of a test notification. */
export interface Recipient {
  tenant_id: string;
  user_id: string;
}

/** Notifies a user, as the modules do. @returns the notification's id */
export async function notify(
  world: World,
  { tenant_id, user_id }: Recipient,
  given: { kind?: NotificationKind; severity?: Severity; title?: string; body?: string } = {},
): Promise<string> {
  const [id] = await notifyMany(world, [{ tenant_id, user_id }], given);
  return id!;
}

/** The same for several users of one tenant, in one transaction. */
export async function notifyMany(
  world: World,
  recipients: readonly Recipient[],
  given: { kind?: NotificationKind; severity?: Severity; title?: string; body?: string } = {},
): Promise<string[]> {
  const { notification_ids } = await world.app.get(Database).tenant(recipients[0]!.tenant_id, (tx) =>
    world.app.get(Notifications).createMany(
      tx,
      recipients.map(({ user_id }) => ({
        user_id,
        kind: given.kind ?? 'event',
        severity: given.severity ?? 'info',
        data: {
          kind: 'test',
          title: given.title ?? 'Something happened',
          body: given.body ?? 'and this is what',
        },
        audience: 'self',
        dedupe_key: `test:${randomUUID()}`,
      })),
    ),
  );
  return notification_ids;
}

export interface People {
  owner: Person;
  teammate: Person;
  /** From another tenant. */
  outsider: Person;
}

/** Creates the test people in new tenants, so that tests do not count each other's notifications. */
export async function newPeople(world: World): Promise<People> {
  const [mine, other] = [await addTenant(world), await addTenant(world)];
  return {
    owner: await addPerson(world, mine.id, { name: 'Alice', role: 'admin' }),
    teammate: await addPerson(world, mine.id, { name: 'Bob' }),
    outsider: await addPerson(world, other.id, { name: 'Charlie', role: 'admin' }),
  };
}
