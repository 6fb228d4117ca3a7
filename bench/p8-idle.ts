import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Benchmark, limit, median } from './benchmark.js';
import type { BenchContext } from './context.js';
import { idleCost } from './support/idle.js';
import { residentMb, startEntry, startServer } from './support/processes.js';

const ALL = 'web,worker,scheduler';

/** An idle server: its memory, and the time to its start. */
export const p8: Benchmark = {
  id: 'P8',
  title: 'memory of an idle server, and the time to start one',
  async run(context) {
    const idleMs = context.size(20_000, 1_000);
    const above: number[] = [];
    const ours: number[] = [];
    const empty: number[] = [];
    const database = await context.database();
    for (let run = 1; run <= context.runs; run++) {
      const server = await startServer(database.environment, ALL);
      const bare = await startEntry('empty-app', database.environment);
      await delay(idleMs);
      ours.push(await residentMb(server.pid));
      empty.push(await residentMb(bare.pid));
      above.push((ours.at(-1) ?? 0) - (empty.at(-1) ?? 0));
      await Promise.all([server.stop(), bare.stop()]);
      context.log(
        `run ${run}: ${Math.round(ours.at(-1) ?? 0)} MB, empty ${Math.round(empty.at(-1) ?? 0)} MB`,
      );
    }
    context.note(`P8: ${Math.round(median(ours))} MB, the empty application ${Math.round(median(empty))} MB`);
    await costOfEachRole(context, idleMs);
    await database.drop();
    return [
      limit({
        id: 'P8',
        what: 'resident memory of an idle server with all roles, minus that of an empty Nest application',
        unit: 'MB',
        values: above,
        target: { at_most: 80 },
      }),
      limit({
        id: 'P8',
        what: 'start to /readyz, with embedded services, second start',
        unit: 's',
        values: await secondStarts(context),
        target: { at_most: 4 },
      }),
    ];
  },
};

/** Notes for docs/scaling.md. */
async function costOfEachRole(context: BenchContext, idleMs: number): Promise<void> {
  for (const roles of ['web', 'worker', 'scheduler', ALL]) {
    const database = await context.database();
    const server = await startServer(database.environment, roles);
    await delay(idleMs);
    const cost = await idleCost(server, database, idleMs);
    context.note(
      `P8: idle ${roles}: ${Math.round(cost.resident_mb)} MB, ${cost.cpu_percent.toFixed(1)} % of a processor, ` +
        `${cost.postgres_connections} connections to PostgreSQL, ${cost.redis_connections} to Redis`,
    );
    await server.stop();
    await database.drop();
  }
}

/** Each on a data directory that an earlier start has created. */
async function secondStarts({ runs }: BenchContext): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), 'vigie-start-'));
  // PostgreSQL runs as another user if the bench runs as root.
  await chmod(folder, 0o755);
  const environment = { VIGIE_DATA_DIR: folder, HOST: '127.0.0.1', PORT: '0' };
  const times: number[] = [];
  try {
    for (let start = 0; start <= runs; start++) {
      const began = performance.now();
      const server = await startServer(environment, ALL);
      const { ok } = await fetch(`${server.url}/readyz`);
      const took = (performance.now() - began) / 1_000;
      if (!ok) throw new Error('the server has started, and is not ready');
      await server.stop();
      if (start > 0) times.push(took);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return times;
}
