import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort, type RedisServer, startRedis } from './redis-server.js';
import { until } from './until.js';

const SLOTS = 16_384;
const NODES = 3;
/** A node also listens on its port + 10000. */
const MAX_PORT = 55_535;

/** Three Redis servers that share the slots, without replicas. */
export class RedisCluster {
  private constructor(
    private readonly folder: string,
    readonly nodes: readonly RedisServer[],
  ) {}

  static async start(): Promise<RedisCluster> {
    const folder = await mkdtemp(join(tmpdir(), 'vigie-cluster-'));
    const nodes = await Promise.all(
      Array.from({ length: NODES }, (_none, number) =>
        startRedis(
          [
            ...['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000'],
            ...['--dir', folder, '--cluster-config-file', `${number}.conf`],
          ],
          freePort(MAX_PORT),
        ),
      ),
    );
    const cluster = new RedisCluster(folder, nodes);
    try {
      await cluster.join();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** For REDIS_URL. */
  get url(): string {
    return `redis+cluster://${this.nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
  }

  /** Asks each node. */
  onEach<Result>(ask: (redis: Redis, number: number) => Promise<Result>): Promise<Result[]> {
    return Promise.all(
      this.nodes.map(async ({ url }, number) => {
        const redis = new Redis(url, { disconnectTimeout: 200 });
        try {
          return await ask(redis, number);
        } finally {
          redis.disconnect();
        }
      }),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await rm(this.folder, { recursive: true });
  }

  private async join(): Promise<void> {
    const [first] = this.nodes;
    await this.onEach(async (redis, number) => {
      const from = Math.ceil((number * SLOTS) / NODES);
      const to = Math.ceil(((number + 1) * SLOTS) / NODES);
      await redis.cluster('ADDSLOTS', ...Array.from({ length: to - from }, (_none, at) => from + at));
      // Only possible before the node knows others.
      await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', number + 1);
    });
    await this.onEach(async (redis, number) => {
      if (number > 0) await redis.call('CLUSTER', 'MEET', '127.0.0.1', first!.port);
    });
    await this.onEach((redis) =>
      until('a working cluster', async () => {
        const info = String(await redis.call('CLUSTER', 'INFO'));
        return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${NODES}`);
      }),
    );
  }
}
