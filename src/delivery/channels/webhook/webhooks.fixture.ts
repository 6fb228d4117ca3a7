import type { Cast } from '../../../../test/support/cast.js';
import type { World } from '../../../../test/support/world.js';
import type { DeliveryJob } from '../../../contracts/jobs.js';
import { Dispatcher } from '../../dispatch/dispatcher.js';
import { DeliverySending } from '../../sending/delivery-sending.js';
import type { Receiver } from './receiver.fixture.js';

/** Settings with which receivers of this machine may be called. */
export const LOCAL_RECEIVERS = { WEBHOOK_ALLOWED_NETWORKS: 'loopback', WEBHOOK_ALLOW_HTTP: 'true' };

/** A person with a token, or a program with an API key, which outlives the days of a test. */
export type Admin = { token: string } | { headers: { 'x-api-key': string } };

/** An API key of the tenant that may do what its admins may. */
export async function adminKey(world: World, { tenant_id, operator }: Cast): Promise<Admin> {
  const { body } = await world.http('POST', `/api/v1/tenants/${tenant_id}/api-keys`, {
    token: operator.token,
    body: { name: 'tests', scopes: ['admin', 'events:write', 'watched:write'] },
  });
  return { headers: { 'x-api-key': (body as { key: string }).key } };
}

/** Adds an endpoint over REST. */
export async function addEndpoint(
  world: World,
  admin: Admin,
  receiver: Pick<Receiver, 'url'>,
  fields: object = {},
): Promise<{ id: string; secret: string }> {
  const answer = await world.http('POST', '/api/v1/tenant/webhooks', {
    ...admin,
    body: { url: receiver.url, ...fields },
  });
  if (answer.status !== 201) throw new Error(answer.text);
  return answer.body as { id: string; secret: string };
}

/** Reports an event over REST, as a fact of its own. @returns its alert's id */
export async function report(world: World, admin: Admin, key: string, fields: object = {}): Promise<string> {
  const answer = await world.http('POST', '/api/v1/events', {
    ...admin,
    body: {
      ...{
        kind: 'disk.full',
        title: `Disque plein ${key}`,
        body: 'Il reste 1 %.',
        severity: 'warning',
        dedupe_key: key,
      },
      ...fields,
    },
  });
  if (answer.status !== 201) throw new Error(answer.text);
  return (answer.body as { id: string }).id;
}

/** Registers a worker of this channel; the test does its work with `sendDue`. */
export async function withWorker(world: World): Promise<void> {
  await world.sql(`INSERT INTO workers VALUES (gen_random_uuid(), 'webhook', 20, now() + interval '1 day')`);
}

/** Admits and makes the due calls of a world without background work, until none is due. @returns how many */
export async function sendDue(world: World): Promise<number> {
  let sent = 0;
  for (;;) {
    await world.app.get(Dispatcher).round('webhook');
    const jobs = await world.sql<DeliveryJob & Record<string, unknown>>(
      `SELECT tenant_id, bundle_id, lease_token FROM deliveries WHERE channel = 'webhook' AND state = 'queued'`,
    );
    if (jobs.length === 0) return sent;
    await Promise.all(jobs.map((job) => world.app.get(DeliverySending).deliver(job)));
    sent += jobs.length;
  }
}
