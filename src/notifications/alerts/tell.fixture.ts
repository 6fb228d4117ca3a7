import { randomUUID } from 'node:crypto';
import { addPerson, addTenant, type Person } from '../../../test/support/cast.js';
import type { World } from '../../../test/support/world.js';
import type { NotificationKind } from '../../contracts/kinds.js';
import type { Severity } from '../../contracts/severities.js';
import { Database } from '../../platform/database/database.js';
import { Notifications } from '../notifications.service.js';

/** Whom a test tells something. */
export interface Told {
  tenant_id: string;
  user_id: string;
}

/** Tells a user something, as the rooms do; the notification's id. */
export async function tell(
  world: World,
  { tenant_id, user_id }: Told,
  given: { kind?: NotificationKind; severity?: Severity; title?: string; body?: string } = {},
): Promise<string> {
  const [id] = await tellMany(world, [{ tenant_id, user_id }], given);
  return id!;
}

/** The same for several users of one tenant, in one transaction. */
export async function tellMany(
  world: World,
  told: readonly Told[],
  given: { kind?: NotificationKind; severity?: Severity; title?: string; body?: string } = {},
): Promise<string[]> {
  const { notification_ids } = await world.app.get(Database).tenant(told[0]!.tenant_id, (tx) =>
    world.app.get(Notifications).createMany(
      tx,
      told.map(({ user_id }) => ({
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
  /** Of another tenant. */
  outsider: Person;
}

/** The cast of the rooms' tests, in tenants of their own: what one test tells is not counted by another. */
export async function newPeople(world: World): Promise<People> {
  const [mine, other] = [await addTenant(world), await addTenant(world)];
  return {
    owner: await addPerson(world, mine.id, { name: 'Alice', role: 'admin' }),
    teammate: await addPerson(world, mine.id, { name: 'Bob' }),
    outsider: await addPerson(world, other.id, { name: 'Charlie', role: 'admin' }),
  };
}
