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

/** Three Redis servers that share the slots, optionally with a replica of each. */
export class RedisCluster {
  private constructor(
    private readonly folder: string,
    readonly nodes: readonly RedisServer[],
    /** In the order of the nodes. */
    private readonly replicas: readonly RedisServer[],
  ) {}

  static async start({ replicas = false } = {}): Promise<RedisCluster> {
    const folder = await mkdtemp(join(tmpdir(), 'vigie-cluster-'));
    const servers = await Promise.all(
      Array.from({ length: replicas ? 2 * NODES : NODES }, (_none, number) =>
        startRedis(
          [
            ...['--cluster-enabled', 'yes', '--cluster-node-timeout', replicas ? '3000' : '1000'],
            ...['--dir', folder, '--cluster-config-file', `${number}.conf`],
            ...['--repl-diskless-sync-delay', '0'],
          ],
          freePort(MAX_PORT),
        ),
      ),
    );
    const cluster = new RedisCluster(folder, servers.slice(0, NODES), servers.slice(NODES));
    try {
      await cluster.join();
      await cluster.follow();
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
    return onEachOf(this.nodes, ask);
  }

  /** Kills the node that has this key, as kill -9 does, and waits until its replica has taken over. */
  async loseNodeOf(key: string): Promise<void> {
    const [slot = 0] = await this.onEach((redis) => redis.cluster('KEYSLOT', key));
    const number = Math.floor((slot * NODES) / SLOTS);
    const roles = await this.onEach(roleOf);
    if (roles[number] !== 'master') throw new Error('a replica has taken over before its node was lost');
    await this.nodes[number]!.stop();
    await onEachOf([this.replicas[number]!], (redis) =>
      until('the replica to take over', async () => {
        const info = String(await redis.call('CLUSTER', 'INFO'));
        return (await roleOf(redis)) === 'master' && info.includes('cluster_state:ok');
      }),
    );
  }

  async stop(): Promise<void> {
    await Promise.all([...this.nodes, ...this.replicas].map((node) => node.stop()));
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

  /** Makes each replica follow its node. */
  private async follow(): Promise<void> {
    const ids = await this.onEach(async (redis) => String(await redis.call('CLUSTER', 'MYID')));
    await onEachOf(this.replicas, async (redis, number) => {
      await redis.call('CLUSTER', 'MEET', '127.0.0.1', this.nodes[number]!.port);
      const replicate = () => redis.call('CLUSTER', 'REPLICATE', ids[number] ?? '');
      // Redis refuses it until it knows the node.
      await until('the node of a replica', () => replicate().catch(() => null));
      await until('a replica', async () =>
        (await redis.info('replication')).includes('master_link_status:up'),
      );
    });
  }
}

/** `master` or `slave`. */
async function roleOf(redis: Redis): Promise<unknown> {
  return ((await redis.call('ROLE')) as unknown[])[0];
}

function onEachOf<Result>(
  servers: readonly RedisServer[],
  ask: (redis: Redis, number: number) => Promise<Result>,
): Promise<Result[]> {
  return Promise.all(
    servers.map(async ({ url }, number) => {
      const redis = new Redis(url, { disconnectTimeout: 200 });
      try {
        return await ask(redis, number);
      } finally {
        redis.disconnect();
      }
    }),
  );
}
