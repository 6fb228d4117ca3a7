import type { World } from './world.js';

/** Whether a connection waits for an advisory lock, for `until`. */
export async function waitsForAdvisoryLock(world: World): Promise<boolean> {
  const waiting = await world.sql(
    `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'`,
  );
  return waiting.length > 0;
}
