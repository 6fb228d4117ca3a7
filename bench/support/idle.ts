import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { BenchDatabase } from '../context.js';
import { type Child, residentMb } from './processes.js';

/** Clock ticks a second in /proc (`getconf CLK_TCK`): 100 on Linux. */
const TICKS = 100;

/** What a process costs while it has nothing to do. */
export interface IdleCost {
  resident_mb: number;
  /** Of one processor. */
  cpu_percent: number;
  postgres_connections: number;
  redis_connections: number;
}

/** Measures a process for so long; no other process may use this database and this Redis. */
export async function idleCost(
  { pid }: Child,
  { sql, environment }: BenchDatabase,
  ms: number,
): Promise<IdleCost> {
  const before = await ticksOf(pid);
  const began = performance.now();
  await delay(ms);
  const ticks = (await ticksOf(pid)) - before;
  const { rows } = await sql.query<{ count: number }>(
    `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'vigie\\_%'`,
  );
  return {
    resident_mb: await residentMb(pid),
    cpu_percent: (ticks / TICKS / ((performance.now() - began) / 1_000)) * 100,
    postgres_connections: rows[0]?.count ?? 0,
    redis_connections: await redisConnections(environment.REDIS_URL ?? ''),
  };
}

/** All but the one that asks. */
async function redisConnections(url: string): Promise<number> {
  const redis = new Redis(url);
  const list = String(await redis.client('LIST'));
  redis.disconnect();
  return list.trim().split('\n').length - 1;
}

/** The processor time of a process so far, in clock ticks: proc_pid_stat(5). */
async function ticksOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
