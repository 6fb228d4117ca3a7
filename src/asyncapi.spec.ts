import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';
import { until } from '../test/support/until.js';
import { createWorld, type World } from '../test/support/world.js';
import { newPeople, notify } from './notifications/alerts/notify.fixture.js';
import { connect } from './realtime/client.fixture.js';

interface Document {
  asyncapi: string;
  channels: Record<string, { messages: Record<string, { $ref: string }> }>;
  operations: Record<string, { channel: { $ref: string }; messages: { $ref: string }[] }>;
}

let world: World;
let text: string;
let document: Document;

beforeAll(async () => {
  world = await createWorld();
  await world.app.listen(0, '127.0.0.1');
  const answer = await fetch(`${await world.app.getUrl()}/asyncapi.yaml`);
  expect(answer.headers.get('content-type')).toBe('application/yaml');
  text = await answer.text();
  document = parse(text) as Document;
});
afterAll(() => world.close());

test('R13: /asyncapi.yaml describes the messages of the sockets, and every reference leads somewhere', () => {
  expect(document.asyncapi).toBe('3.0.0');
  expect(Object.keys(document.channels.notifications?.messages ?? {})).toEqual([
    'notification.created',
    'notification.updated',
    'unread_count',
    'resync_required',
    'notifications.read',
    'notifications.read_all',
  ]);
  const targets = [...text.matchAll(/\$ref: "?(#[^"\s]+)"?/g)].map(([, target = '']) => target);
  expect(targets.length).toBeGreaterThan(10);
  expect(targets.filter((target) => at(target) === undefined)).toEqual([]);
});

test('R13: what a client hears and is answered is what /asyncapi.yaml says', async () => {
  const { owner } = await newPeople(world);
  const client = await connect(await world.app.getUrl(), { token: owner.token });
  await until('the first count', () => client.count());
  const id = await notify(world, owner);
  await until('the notification', () => client.created().includes(id));
  const answer: unknown = await client.socket.emitWithAck('notifications.read', { ids: [id] });
  await until('the change', () => client.heard.some(({ name }) => name === 'notification.updated'));
  client.socket.disconnect();

  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  ajv.addSchema({ $id: 'sockets', ...document });
  const faults = (name: string, payload: unknown) => {
    ajv.validate(`sockets#/components/messages/${name}/payload`, payload);
    return ajv.errors ?? [];
  };
  expect(new Set(client.heard.map(({ name }) => name))).toEqual(
    new Set(['unread_count', 'notification.created', 'notification.updated']),
  );
  for (const { name, payload } of client.heard) expect([name, faults(name, payload)]).toEqual([name, []]);
  expect(faults('acknowledgement', answer)).toEqual([]);
  expect(faults('notification.created', { unread_count: 1 })).not.toEqual([]);
});

function at(target: string): unknown {
  return target
    .slice(2)
    .split('/')
    .reduce<unknown>((inside, name) => (inside as Record<string, unknown> | undefined)?.[name], document);
}
