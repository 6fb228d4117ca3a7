import { Redis } from 'ioredis';
import { startedAt } from '../../src/platform/embedded/processes.js';
import { Watchdog } from '../../src/platform/embedded/watchdog.js';
import { type RedisServer, startRedis, startSentinel } from './redis-server.js';
import { until } from './until.js';

const SENTINELS = 3;
const NAME = 'mymaster';
/** For tests; with the delays of real installations they would take a minute. */
const DOWN_AFTER_MS = 500;
const FAILOVER_WITHIN_MS = 30_000;
/** Sentinels read the state of servers every 10 s, and wait before they correct it. */
const REPLICA_WITHIN_MS = 60_000;

/** A primary and a replica with three Sentinels, which make the replica the primary when it is needed. */
export class RedisSentinels {
  /** Those that run or are stopped; a killed one is removed. */
  private readonly servers: RedisServer[] = [];
  private readonly sentinels: RedisServer[] = [];

  private constructor(
    private readonly password: string,
    private readonly watchdog: Watchdog,
  ) {}

  /** @param password of both servers; the Sentinels have none. */
  static async start(password = 'right'): Promise<RedisSentinels> {
    const set = new RedisSentinels(password, await Watchdog.start(() => undefined));
    try {
      await set.begin();
    } catch (error) {
      await set.stop();
      throw error;
    }
    return set;
  }

  /** For REDIS_URL. */
  get url(): string {
    const hosts = this.sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',');
    return `redis+sentinel://:${this.password}@${hosts}/${NAME}`;
  }

  /** One of them. */
  get sentinelUrl(): string {
    return this.sentinels[0]!.url;
  }

  /** The server that the Sentinels call the primary. */
  async primary(): Promise<RedisServer> {
    const port = await this.askForPort();
    const server = this.servers.find((each) => each.port === port);
    if (server === undefined) throw new Error('the Sentinels name a server that was killed');
    return server;
  }

  /** For a client of one of the servers. */
  urlOf({ port }: RedisServer): string {
    return `redis://:${this.password}@127.0.0.1:${port}`;
  }

  /** Kills the primary, as kill -9 does. */
  async killPrimary(): Promise<RedisServer> {
    const primary = await this.primary();
    await primary.stop();
    this.servers.splice(this.servers.indexOf(primary), 1);
    return primary;
  }

  /** Waits until the Sentinels name another primary, which takes writes. */
  async failedOver({ port: before }: RedisServer): Promise<void> {
    const another = async () => (await this.askForPort()) !== before && (await this.takesWrites());
    await until('another primary', another, FAILOVER_WITHIN_MS);
  }

  /** Starts a killed server again, as a replica. */
  async restart({ port }: RedisServer): Promise<void> {
    await this.addServer(port, await this.askForPort());
  }

  /** Waits until the Sentinels know a replica that could become the primary. */
  async hasReplica(): Promise<void> {
    const ask = async (redis: Redis) => {
      const quorum = String(await redis.call('SENTINEL', 'ckquorum', NAME).catch(() => ''));
      const replicas = (await redis.call('SENTINEL', 'replicas', NAME)) as string[][];
      const good = replicas.filter((fields) => valueOf(fields, 'flags') === 'slave');
      const linked = good.filter((fields) => valueOf(fields, 'master-link-status') === 'ok');
      return quorum.includes(`${SENTINELS} usable`) && linked.length > 0;
    };
    await this.asking(this.sentinels[0]!, (redis) =>
      until('a replica that could be chosen', () => ask(redis), REPLICA_WITHIN_MS),
    );
  }

  /** Asks for a failover while everything works. */
  async failOver(): Promise<void> {
    await this.asking(this.sentinels[0]!, (redis) => redis.call('SENTINEL', 'failover', NAME));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.servers].map((server) => server.stop()));
    await this.watchdog.dismiss();
  }

  private async begin(): Promise<void> {
    const primary = await this.addServer();
    await this.addServer(undefined, primary.port);
    const lines = [
      `sentinel monitor ${NAME} 127.0.0.1 ${primary.port} 2`,
      `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
      `sentinel failover-timeout ${NAME} 3000`,
      `sentinel auth-pass ${NAME} ${this.password}`,
    ];
    await Promise.all(
      Array.from({ length: SENTINELS }, async () => {
        const sentinel = await startSentinel(lines);
        this.sentinels.push(sentinel);
        await this.guard(sentinel);
      }),
    );
    await this.hasReplica();
  }

  private async addServer(port?: number, primaryPort?: number): Promise<RedisServer> {
    const login = ['--requirepass', this.password, '--masterauth', this.password];
    const following = primaryPort === undefined ? [] : ['--replicaof', `127.0.0.1 ${primaryPort}`];
    const server = await startRedis([...login, '--repl-diskless-sync-delay', '0', ...following], port);
    this.servers.push(server);
    await this.guard(server);
    return server;
  }

  /** A crash of the test ends them, too. */
  private async guard({ pid }: RedisServer): Promise<void> {
    const started = await startedAt(pid);
    if (started !== undefined) this.watchdog.guard({ pid, started }, { ask: 'SIGKILL', insist: 'SIGKILL' });
  }

  private async askForPort(): Promise<number> {
    return this.asking(this.sentinels[0]!, async (redis) => {
      const [, port] = (await redis.call('SENTINEL', 'get-master-addr-by-name', NAME)) as string[];
      return Number(port);
    });
  }

  private async takesWrites(): Promise<boolean> {
    const port = await this.askForPort();
    const server = this.servers.find((each) => each.port === port);
    if (server === undefined) return false;
    return this.asking({ url: this.urlOf(server) }, (redis) =>
      redis.set('test:takes-writes', '1', 'EX', 60).then(
        () => true,
        () => false,
      ),
    );
  }

  private async asking<Result>(
    { url }: Pick<RedisServer, 'url'>,
    ask: (redis: Redis) => Promise<Result>,
  ): Promise<Result> {
    const redis = new Redis(url, { maxRetriesPerRequest: 1, disconnectTimeout: 200 });
    redis.on('error', () => undefined);
    try {
      return await ask(redis);
    } finally {
      redis.disconnect();
    }
  }
}

/** In a list of names and values. */
function valueOf(fields: readonly string[], name: string): string | undefined {
  return fields[fields.indexOf(name) + 1];
}
