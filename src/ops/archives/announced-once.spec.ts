import { addPerson } from '../../../test/support/cast.js';
import { runJob } from '../../../test/support/watched.js';
import { type ArchiveStage, archiveStage, NOW, OldTenant } from './archives.fixture.js';

const DAY_MS = 86_400_000;

/** What was sent is not sent again because the cleanup has deleted its rows. */
describe('after a cleanup', () => {
  let stage: ArchiveStage;
  let tenant: OldTenant;

  beforeAll(async () => {
    stage = await archiveStage();
  });
  afterAll(() => stage.close());
  beforeEach(async () => {
    stage.clock.set(NOW);
    tenant = await OldTenant.create(stage);
  });

  // The cleanup waits for a dispatcher that is behind.
  afterEach(() => stage.world.sql(`DELETE FROM deliveries WHERE state = 'pending'`));

  const job = (name: 'cleanup' | 'check-notifications') => runJob(stage.world, tenant.id, name);
  const sql = (text: string, ...values: unknown[]) => stage.world.sql(text, [tenant.id, ...values]);
  /** Ends the waiting deliveries, at the present instant. */
  const end = (state: 'sent' | 'failed') =>
    sql(
      `UPDATE deliveries SET state = $2, ended_at = $3, sent_at = CASE WHEN $2 = 'sent' THEN $3::timestamptz END
       WHERE tenant_id = $1 AND state = 'pending'`,
      state,
      stage.clock.now(),
    );
  const complete = (at: Date | null) =>
    sql(
      `UPDATE deadlines SET completed_at = $2, status = CASE WHEN $2::timestamptz IS NULL THEN 'pending' ELSE 'done' END
       WHERE tenant_id = $1`,
      at,
    );
  /** A deadline that is due in three days. */
  const deadline = () =>
    sql(
      `INSERT INTO deadlines (tenant_id, title, due_on, responsible_id) VALUES ($1, 'TVA CA3', '2026-06-18', $2)`,
      tenant.alice.id,
    );

  it('E9: a stage that was sent is not announced again, whatever happens to the item', async () => {
    await deadline();
    expect(await job('check-notifications')).toMatchObject({ opened: 1, notifications: 1 });
    await end('sent');
    await sql(`UPDATE notifications SET read_at = now() WHERE tenant_id = $1`);
    await complete(stage.clock.now());
    expect(await job('check-notifications')).toMatchObject({ gone: 1 });
    stage.clock.advance(31 * DAY_MS);
    expect(await job('cleanup')).toMatchObject({ notifications: 1 });
    // Back on the day of the stage: only a clock that moves back shows the same stage of the same date.
    stage.clock.set(NOW);
    await complete(null);
    expect(await job('check-notifications')).toMatchObject({ opened: 1, notifications: 0, deliveries: 0 });
    // Its next stage was never announced.
    stage.clock.advance(2 * DAY_MS);
    expect(await job('check-notifications')).toMatchObject({ staged: 1, notifications: 1 });
  });

  it('E9: the last stage of an overdue item that is opened again later is not announced again', async () => {
    await deadline();
    stage.clock.advance(10 * DAY_MS);
    expect(await job('check-notifications')).toMatchObject({ opened: 1, notifications: 1 });
    await end('sent');
    await sql(`UPDATE notifications SET read_at = now() WHERE tenant_id = $1`);
    await complete(stage.clock.now());
    await job('check-notifications');
    stage.clock.advance(40 * DAY_MS);
    expect(await job('cleanup')).toMatchObject({ notifications: 1 });
    await complete(null);
    expect(await job('check-notifications')).toMatchObject({ opened: 1, notifications: 0 });
  });

  it('a stage that never left is announced when its item returns', async () => {
    await deadline();
    stage.clock.advance(10 * DAY_MS);
    await job('check-notifications');
    await end('failed');
    await sql(`UPDATE notifications SET read_at = now() WHERE tenant_id = $1`);
    await complete(stage.clock.now());
    await job('check-notifications');
    stage.clock.advance(40 * DAY_MS);
    expect(await job('cleanup')).toMatchObject({ notifications: 1 });
    await complete(null);
    expect(await job('check-notifications')).toMatchObject({ opened: 1, notifications: 1 });
  });

  it('E9: an unread alert that is still open survives, and its check stays quiet', async () => {
    await deadline();
    await job('check-notifications');
    await end('sent');
    stage.clock.advance(400 * DAY_MS);
    await job('check-notifications');
    await end('sent');
    stage.clock.advance(400 * DAY_MS);
    const counts = await job('cleanup');
    expect(counts.notifications).toBeUndefined();
    expect(await tenant.left()).toHaveLength(2);
    expect(await job('check-notifications')).toMatchObject({ repeated: 1, notifications: 0 });
  });

  it('a message is not sent again with the key of one that was sent: 409', async () => {
    const send = ({ token } = tenant.alice) =>
      stage.world.http('POST', '/api/v1/notifications', {
        token,
        body: {
          channel: 'email',
          user_ids: [tenant.alice.id],
          subject: 'Rappel',
          body: 'Texte',
          dedupe_key: 'invoice-7',
        },
      });
    expect(await send()).toMatchObject({ status: 202 });
    await end('sent');
    await sql(`UPDATE notifications SET read_at = now() WHERE tenant_id = $1`);
    stage.clock.advance(31 * DAY_MS);
    await job('cleanup');
    // Her session has ended, and was deleted, too.
    const bob = await addPerson(stage.world, tenant.id, { name: 'Bob', role: 'admin' });
    expect(await send(bob)).toMatchObject({ status: 409, body: { code: 'conflict' } });
    const rows = await sql(`SELECT FROM deliveries WHERE tenant_id = $1`);
    expect(rows).toEqual([]);
  });

  it('keys of messages expire, those of facts do not', async () => {
    await tenant.notify({ alert: 'gone', key: 'deadline:x:2026-01-01:3' });
    await tenant.notify({ key: 'message:x' });
    await job('cleanup');
    stage.clock.advance(401 * DAY_MS);
    expect(await job('cleanup')).toMatchObject({ announced_keys: 1 });
    expect(await sql(`SELECT until FROM announced_keys WHERE tenant_id = $1`)).toEqual([{ until: null }]);
  });
});
