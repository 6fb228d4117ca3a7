import { randomUUID } from 'node:crypto';
import { createWorld, type World } from '../../test/support/world.js';
import { Database } from '../platform/database/database.js';
import { newPeople, notify } from './alerts/notify.fixture.js';
import { Notifications } from './notifications.service.js';

let world: World;

beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

it('P4: creating one notification reads a few rows, even in a large tenant', async () => {
  const { owner, teammate } = await newPeople(world);
  // After five executions a connection keeps the plan, which was made while the table was nearly empty.
  for (let turn = 0; turn < 10; turn++) await notify(world, owner);
  await world.sql(
    `INSERT INTO notifications (tenant_id, recipient, user_id, dedupe_key, kind, severity, audience, created_at)
     SELECT $1, 'user:' || $2::uuid, $2::uuid, i::text, 'event', 'info', 'self', now() FROM generate_series(1, 5000) i`,
    [owner.tenant_id, teammate.user_id],
  );
  const rowsRead = await world.app.get(Database).tenant(owner.tenant_id, async (tx) => {
    await world.app.get(Notifications).createMany(tx, [
      {
        user_id: owner.user_id,
        kind: 'event',
        severity: 'info',
        data: { kind: 'test', title: 'New', body: 'and only this' },
        audience: 'self',
        dedupe_key: randomUUID(),
      },
    ]);
    const counted = await tx.one<{ read: number }>(
      `SELECT seq_tup_read + idx_tup_fetch AS read FROM pg_stat_xact_user_tables WHERE relname = 'notifications'`,
    );
    return counted?.read;
  });
  expect(rowsRead).toBeLessThan(100);
});
