import { createWorld, type World } from '../../../test/support/world.js';
import { Database } from '../../platform/database/database.js';
import { Queues } from '../../platform/queues/queues.js';
import { Workers } from '../../platform/queues/workers.js';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());
afterEach(() => jest.restoreAllMocks());

test('a healthy process is alive and ready, without a login', async () => {
  expect(await world.http('GET', '/livez')).toMatchObject({ status: 200, body: { status: 'ok' } });
  expect(await world.http('GET', '/readyz')).toMatchObject({ status: 200, body: { status: 'ok' } });
});

test.each([
  ['PostgreSQL', () => jest.spyOn(world.app.get(Database), 'ping').mockRejectedValue(new Error('down'))],
  ['Redis', () => jest.spyOn(world.app.get(Queues), 'probe').mockRejectedValue(new Error('down'))],
])('without %s it is alive and not ready, and says why', async (name, breakIt) => {
  breakIt();
  const answer = await world.http('GET', '/readyz');
  expect(answer).toMatchObject({
    status: 503,
    body: { code: 'unavailable', detail: `no answer from ${name}` },
  });
  expect((await world.http('GET', '/livez')).status).toBe(200);
});

test('a service that does not answer counts as unreachable', async () => {
  jest.spyOn(world.app.get(Database), 'ping').mockReturnValue(new Promise(() => undefined));
  const began = performance.now();
  const answer = await world.http('GET', '/readyz');
  expect(answer.body).toMatchObject({ detail: 'no answer from PostgreSQL' });
  expect(performance.now() - began).toBeLessThan(4_000);
});

test('a process that is shutting down is not ready while it drains, but still alive', async () => {
  const stopping = await createWorld();
  const workers = stopping.app.get(Workers);
  const drain = workers.drain.bind(workers);
  const answers: number[] = [];
  jest.spyOn(workers, 'drain').mockImplementation(async () => {
    answers.push(
      (await stopping.http('GET', '/readyz')).status,
      (await stopping.http('GET', '/livez')).status,
    );
    await drain();
  });
  await stopping.close();
  expect(answers).toEqual([503, 200]);
});
