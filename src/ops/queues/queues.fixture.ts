import { insertBacklog } from '../../../test/support/backlog.js';
import { type Cast, createCast } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { Dispatcher } from '../../delivery/dispatch/dispatcher.js';
import { Leases } from '../../delivery/sending/leases.js';
import { Queues } from '../../platform/queues/queues.js';
import type { QueueView } from './queues.dto.js';

/** Queues to read and act on, in a world without workers: nothing moves by itself. */
export class QueueScene {
  private backlogs = 0;

  private constructor(
    readonly world: World,
    readonly cast: Cast,
    readonly dispatcher: Dispatcher,
    readonly queues: Queues,
  ) {}

  static async create(env: Record<string, string> = {}): Promise<QueueScene> {
    const world = await createWorld({
      env: { SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example', ...env },
    });
    const dispatcher = world.app.get(Dispatcher, { strict: false });
    return new QueueScene(world, await createCast(world), dispatcher, world.app.get(Queues));
  }

  /** For `beforeEach`: removes all work and pauses. */
  async clear(): Promise<void> {
    for (const table of ['notifications', 'job_runs', 'paused_run_queues', 'workers']) {
      await this.world.sql(`DELETE FROM ${table}`);
    }
    await this.world.sql('UPDATE channels SET paused = false');
    await Promise.all((['mail', 'checks', 'maintenance'] as const).map((name) => this.queues.empty(name)));
  }

  ask(method: string, path: string, token = this.cast.operator.token) {
    return this.world.http(method, `/api/v1/admin/queues${path}`, { token });
  }

  post(path: string) {
    return this.ask('POST', path);
  }

  async view(name: string): Promise<QueueView> {
    const { body } = await this.ask('GET', '');
    return (body.data as QueueView[]).find(({ queue }) => queue === name)!;
  }

  /** How many deliveries, or rows of another table, are in each state. */
  async states(table = 'deliveries'): Promise<Record<string, number>> {
    const rows = await this.world.sql<{ state: string; count: number }>(
      `SELECT state, count(*)::integer FROM ${table} GROUP BY state`,
    );
    return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
  }

  /** Creates a tenant, `<prefix>-1`, with due deliveries. @returns its id */
  async backlog(deliveries: number, prefix = `b${(this.backlogs += 1)}`): Promise<string> {
    const { world } = this;
    const [id] = await insertBacklog(
      { query: async (text: string, values?: unknown[]) => ({ rows: await world.sql(text, values) }) },
      { tenants: 1, deliveries, users: deliveries, prefix },
    );
    await world.sql(`UPDATE deliveries SET due_at = due_at - interval '1 minute' WHERE tenant_id = $1`, [id]);
    return id!;
  }

  workers(concurrency: number) {
    return this.world.sql(`INSERT INTO workers VALUES (gen_random_uuid(), 'email', $1, now())`, [
      concurrency,
    ]);
  }

  /** Ten deliveries of one tenant: four in Bull, one of them being sent, four due, two deferred. */
  async tenDeliveries(): Promise<string> {
    const tenant = await this.backlog(10);
    await this.world.sql(
      `UPDATE deliveries SET due_at = now() + interval '1 hour', defer_reason = 'quiet_hours'
       WHERE id IN (SELECT id FROM deliveries ORDER BY id LIMIT 2)`,
    );
    await this.workers(1);
    await this.dispatcher.round('email');
    await this.claimOne();
    return tenant;
  }

  trigger(job: string) {
    const { cast, world } = this;
    return world.http('POST', `/api/v1/admin/scheduler/${job}/trigger?tenant=${cast.tenant.slug}`, {
      token: cast.operator.token,
    });
  }

  private async claimOne(): Promise<void> {
    const [job] = await this.world.sql<{ tenant_id: string; bundle_id: string; lease_token: string }>(
      `SELECT tenant_id, bundle_id, lease_token FROM deliveries WHERE state = 'queued' LIMIT 1`,
    );
    const claimed = await this.world.app.get(Leases, { strict: false }).claim(job!);
    if (claimed === false) throw new Error('the delivery could not be claimed');
  }
}
