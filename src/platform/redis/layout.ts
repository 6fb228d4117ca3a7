import type { RedisTarget } from '../config/redis-url.js';
import type { Layout } from './asking.js';
import { askCluster } from './cluster.js';
import { askSentinels } from './sentinels.js';

/**
 * Asks the Sentinels or the cluster.
 * @throws RedisFault if REDIS_URL does not fit what it names; Error if nobody answers, or the cluster is down.
 */
export async function layoutOf(target: RedisTarget, timeoutMs: number): Promise<Layout> {
  switch (target.kind) {
    case 'server':
      return { primaries: [target], replicas: [], warnings: [] };
    case 'sentinel':
      return askSentinels(target, timeoutMs);
    case 'cluster':
      return askCluster(target, timeoutMs);
  }
}
