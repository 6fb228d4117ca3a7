import { Logger } from '@nestjs/common';
import { insertBacklog } from '../../../test/support/backlog.js';
import { type Cast, createCast } from '../../../test/support/cast.js';
import { createWorld, mailEnvironment, type World } from '../../../test/support/world.js';
import {
  type Act,
  type ScriptedSmtp,
  startScriptedSmtp,
  type Step,
} from '../channels/email/scripted-smtp.fixture.js';
import { StepwiseDelivery } from '../dispatch/bundling.fixture.js';

/** R8: what a failed send stores, and how it resumes after a repair. */

let smtp: ScriptedSmtp;
let act: (step: Step) => Act;
let world: World;
let cast: Cast;
let way: StepwiseDelivery;
let lines: Record<string, unknown>[];

beforeEach(async () => {
  act = () => 'ok';
  smtp = await startScriptedSmtp({ script: (step) => act(step) });
  world = await createWorld({
    env: mailEnvironment(smtp),
  });
  cast = await createCast(world);
  way = new StepwiseDelivery(world);
  lines = [];
  for (const level of ['log', 'warn', 'error'] as const)
    jest
      .spyOn(Logger.prototype, level)
      .mockImplementation((...[line]: unknown[]) => void lines.push({ level, ...(line as object) }));
  // A worker, so that the dispatcher admits.
  await world.sql(
    `INSERT INTO workers (id, channel, concurrency, seen_at) VALUES (gen_random_uuid(), 'email', 10, now() + interval '1 hour')`,
  );
});
afterEach(async () => {
  jest.restoreAllMocks();
  await world.close();
  await smtp.close();
});

async function deliveries(count: number): Promise<string> {
  const [tenant] = await insertBacklog(
    { query: async (text, values) => ({ rows: await world.sql(text, values) }) },
    { tenants: 1, deliveries: count, users: count, prefix: 'firm' },
  );
  return tenant!;
}

test.each([
  ['450 4.2.1 <user1@firm-1.example> is busy: Message 0', 'rcpt', 'pending', 'retryable', '450 4.2.1', null],
  ['550 5.1.1 <user1@firm-1.example> unknown', 'rcpt', 'failed', 'permanent', '550 5.1.1', null],
  ['554 Message 0 looks like spam', 'dot', 'failed', 'permanent', '554', null],
  ['535 5.7.8 vigie@vigie.example may not', 'mail', 'pending', 'channel', '535 5.7.8', 'login'],
])(
  'R8: after "%s" the log says why, in one line without address and contents',
  async (reply, at, state, failure, code, cause) => {
    const tenant_id = await deliveries(1);
    act = (step) => (step === at ? { reply } : 'ok');
    await way.admit();
    await way.send();
    const [delivery] = await world.sql<{ id: string; state: string }>(
      'SELECT id, state FROM deliveries WHERE tenant_id = $1',
      [tenant_id],
    );
    expect(delivery!.state).toBe(state);
    const about = lines.filter(({ event }) => event === `delivery_${state}`);
    expect(about).toEqual([
      {
        level: failure === 'channel' ? 'log' : 'warn',
        event: `delivery_${state}`,
        channel: 'email',
        tenant_id,
        bundle_id: delivery!.id,
        delivery_id: delivery!.id,
        attempt: 1,
        deliveries: 1,
        recorded: true,
        failure,
        cause,
        code,
      },
    ]);
  },
);

describe('R8: after the repair', () => {
  const HELD = `SELECT address, state, defer_reason FROM deliveries WHERE tenant_id = $1 ORDER BY address`;

  test.each([
    ['admin/process', () => world.http('POST', '/api/v1/admin/process', { token: cast.operator.token })],
    [
      'admin/queues/mail/retry',
      () => world.http('POST', '/api/v1/admin/queues/mail/retry', { token: cast.operator.token }),
    ],
  ])(
    '%s sends at once what waits for its next attempt, and leaves alone what hours, limits and send_at hold',
    async (_name, ask) => {
      act = (step) => (step === 'rcpt' ? { reply: '450 4.2.1 Busy' } : 'ok');
      const tenant = await deliveries(5);
      const addresses = (await world.sql<{ address: string }>(HELD, [tenant])).map(({ address }) => address);
      for (const [n, reason] of [
        'quiet_hours',
        'limit_per_user_per_hour',
        'send_at',
        'operating_hours',
      ].entries())
        await world.sql(
          `UPDATE deliveries SET due_at = now() + interval '1 hour', defer_reason = $2 WHERE address = $1`,
          [addresses[n + 1], reason],
        );
      await way.admit();
      await way.send();
      expect((await world.sql(HELD, [tenant]))[0]).toMatchObject({ state: 'pending', defer_reason: 'retry' });
      expect(await way.admit()).toEqual([]);

      act = () => 'ok';
      expect((await ask()).status).toBeLessThan(300);
      expect(await way.leave()).toEqual([1]);
      expect(smtp.received.map(({ to }) => to)).toEqual([addresses[0]]);
      expect((await world.sql<{ state: string }>(HELD, [tenant])).map(({ state }) => state)).toEqual([
        'sent',
        'pending',
        'pending',
        'pending',
        'pending',
      ]);
    },
  );
});
