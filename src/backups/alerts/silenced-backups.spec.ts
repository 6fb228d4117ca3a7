import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { Database } from '../../platform/database/database.js';
import { AlertSilence } from '../../notifications/alerts/silence.js';
import { type BackupFolders, backupFolders, scan } from '../agent.fixture.js';
import { hours, NotifiedTenant } from './announcements.fixture.js';

const NOW = '2026-03-30T01:15:00.000Z';
const FAILED = 'ALERTE SAUVEGARDE - compta - FAILED';

const clock = new FixedClock(NOW);
let folders: BackupFolders;
let world: World;
let tenant: NotifiedTenant;

beforeAll(async () => {
  folders = await backupFolders();
  world = await createWorld({
    clock,
    env: { ...folders.env, SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example' },
  });
});
afterAll(async () => {
  await world.close();
  await folders.remove();
});
beforeEach(async () => {
  clock.set(NOW);
  tenant = await NotifiedTenant.create(world, clock);
});

/** The admin marks the only standing alert. @param snoozeHours null: acknowledges it */
async function silence(snoozeHours: number | null): Promise<void> {
  const [alert] = await world.sql<{ id: string }>(
    'SELECT id FROM alerts WHERE tenant_id = $1 AND gone_at IS NULL',
    [tenant.id],
  );
  const marker = { user_id: tenant.admin.id, only_notified: true };
  const service = world.app.get(AlertSilence, { strict: false });
  await world.app
    .get(Database)
    .tenant(tenant.id, (tx) =>
      snoozeHours === null
        ? service.acknowledge(tx, alert!.id, marker)
        : service.snooze(tx, alert!.id, marker, new Date(clock.now().getTime() + hours(snoozeHours))),
    );
}
const fail = async () => {
  await tenant.found('FAILED', 'agent_failed');
  return tenant.announceNew();
};

describe('V16, B9: an acknowledged backup alert', () => {
  it('V16: is counted with each failure, and neither announced nor repeated', async () => {
    await fail();
    await silence(null);
    for (let night = 0; night < 3; night += 1) {
      clock.advance(hours(24));
      expect(await fail()).toMatchObject({ alerts: 0, not_announced: 0 });
      expect(await tenant.remindAll()).toEqual({ reminded: 0, not_announced: 0 });
    }
    expect(await tenant.titles()).toEqual([FAILED]);
    expect(await tenant.alerts()).toMatchObject([{ state: 'open', occurrences: 4, gone: false }]);
  });

  it('V16: the recovery is announced, and the next failure is a new one', async () => {
    await fail();
    await silence(null);
    clock.advance(hours(24));
    await tenant.found('SUCCESS');
    expect(await tenant.announceNew()).toMatchObject({ recovered: 1 });
    clock.advance(hours(24));
    expect(await fail()).toMatchObject({ alerts: 1 });
    const titles = await tenant.titles();
    expect(titles).toHaveLength(3);
    expect([titles[0], titles[2]]).toEqual([FAILED, FAILED]);
  });

  it('V16: another fault of the same backup is announced', async () => {
    await fail();
    await silence(null);
    clock.advance(hours(24));
    await tenant.found('MISSING', 'no_report');
    expect(await tenant.announceNew()).toMatchObject({ alerts: 1 });
  });
});

describe('V16, B9: a snoozed backup alert', () => {
  it('V16: the first scan after the instant announces it again, once; then repeats go on', async () => {
    await fail();
    // No backup is expected meanwhile.
    await world.sql(`UPDATE backup_jobs SET expected_after = $2 WHERE id = $1`, [
      tenant.compta,
      new Date(clock.now().getTime() + hours(240)),
    ]);
    await silence(30);
    clock.advance(hours(26));
    expect(await tenant.remindAll()).toMatchObject({ reminded: 0 });
    expect(await scan(world, tenant.id)).not.toHaveProperty('woken');
    clock.advance(hours(4));
    expect(await scan(world, tenant.id)).toMatchObject({ woken: 1 });
    expect(await scan(world, tenant.id)).not.toHaveProperty('woken');
    expect(await tenant.titles()).toEqual([FAILED, FAILED]);
    // From the last announcement on, as always.
    clock.advance(hours(23));
    expect(await tenant.remindAll()).toMatchObject({ reminded: 0 });
    clock.advance(hours(1));
    expect(await tenant.remindAll()).toMatchObject({ reminded: 1 });
  });

  it('V16: a new failure after the instant announces it at once', async () => {
    await fail();
    await silence(1);
    clock.advance(hours(2));
    expect(await fail()).toMatchObject({ alerts: 1 });
    expect(await scan(world, tenant.id)).not.toHaveProperty('woken');
    expect(await tenant.titles()).toEqual([FAILED, FAILED]);
  });

  it('V16: one that has recovered meanwhile is not announced again', async () => {
    await fail();
    await silence(30);
    clock.advance(hours(24));
    await tenant.found('SUCCESS');
    expect(await tenant.announceNew()).toMatchObject({ recovered: 1 });
    clock.advance(hours(24));
    expect(await scan(world, tenant.id)).not.toHaveProperty('woken');
  });

  it('V16: a bare address gets it again, too', async () => {
    await world.sql(
      `UPDATE tenants SET settings = '{"alert_recipients": ["Ops@host.example", "ada@example.com"]}' WHERE id = $1`,
      [tenant.id],
    );
    await fail();
    await silence(4);
    clock.advance(hours(5));
    await scan(world, tenant.id);
    const sent = await world.sql(
      `SELECT recipient, address, state FROM deliveries WHERE tenant_id = $1 ORDER BY created_at, recipient`,
      [tenant.id],
    );
    const ada = { recipient: `user:${tenant.admin.id}`, address: tenant.admin.email };
    const ops = { recipient: 'mailto:ops@host.example' };
    expect(sent).toMatchObject([
      { ...ops, state: 'suppressed' },
      { ...ada, state: 'suppressed' },
      { ...ops, state: 'pending' },
      { ...ada, state: 'pending' },
    ]);
  });
});
