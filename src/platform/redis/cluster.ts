import { type ClusterTarget, placeOfHost, type RedisHost } from '../config/redis-url.js';
import { askAll, type Layout, listsOf, nobodyAnswers, silenceOf } from './asking.js';
import { serverAt, withServer } from './once.js';
import { isRefusedLogin, RedisFault, refusedLogin } from './refusals.js';

const SLOTS = 16_384;

/** What one node knows of its cluster. */
interface NodeAnswer {
  isDown: boolean;
  /** Slots with a node that answers. */
  servedSlots: number;
  /** `host:port` of each. */
  failing: readonly string[];
  primaries: readonly RedisHost[];
  replicas: readonly RedisHost[];
}

/**
 * Asks the nodes in REDIS_URL for all nodes of the cluster.
 * https://redis.io/docs/latest/commands/cluster-info/ and cluster-slots, cluster-nodes
 * @throws RedisFault if one is no node of a cluster; Error if none answers, or the cluster is down.
 */
export async function askCluster(target: ClusterTarget, timeoutMs: number): Promise<Layout> {
  const asked = await askAll(target.hosts, (host) => askNode(target, host, timeoutMs));
  const strange = asked.silent.find(({ error }) => error instanceof RedisFault)?.error;
  if (strange instanceof RedisFault) throw strange;
  const answer = asked.answers.find(({ isDown }) => !isDown) ?? asked.answers[0];
  if (answer === undefined) throw nobodyAnswers('node of the Redis Cluster', asked);
  if (answer.isDown) {
    const failing = answer.failing.length === 0 ? '' : `; failing: ${answer.failing.join(', ')}`;
    throw new Error(
      `the Redis Cluster is down: ${answer.servedSlots} of ${SLOTS} slots are served${failing}`,
    );
  }
  return {
    primaries: answer.primaries.map((host) => serverAt(target, host)),
    replicas: answer.replicas.map((host) => serverAt(target, host)),
    warnings: [
      ...asked.silent.map((silent) => silenceOf('the node', silent)),
      ...answer.failing.map((place) => `the other nodes cannot reach the node ${place}`),
    ],
  };
}

async function askNode(target: ClusterTarget, host: RedisHost, timeoutMs: number): Promise<NodeAnswer> {
  try {
    return await withServer(serverAt(target, host), timeoutMs, async (redis) => {
      const [info, slots, nodes] = await Promise.all([
        redis.call('CLUSTER', 'INFO'),
        redis.call('CLUSTER', 'SLOTS'),
        redis.call('CLUSTER', 'NODES'),
      ]);
      const ranges = listsOf(slots).map((range) => listsOf(range.slice(2)).map((node) => hostOf(node, host)));
      return {
        isDown: !/^cluster_state:ok/m.test(String(info)),
        servedSlots: Number(/^cluster_slots_ok:(\d+)/m.exec(String(info))?.[1] ?? 0),
        failing: failingNodes(String(nodes)),
        primaries: different(ranges.flatMap((range) => range.slice(0, 1))),
        replicas: different(ranges.flatMap((range) => range.slice(1))),
      };
    });
  } catch (error) {
    throw explained(error, host);
  }
}

/** @param asked who has answered: a node that does not know its own address leaves it out. */
function hostOf([host, port]: readonly unknown[], asked: RedisHost): RedisHost {
  const name = typeof host === 'string' && host !== '' && host !== '?' ? host : asked.host;
  return { host: name, port: Number(port) };
}

/** `<id> <ip:port@cport[,hostname]> <flags> …` with the flag `fail` or `fail?`. */
function failingNodes(lines: string): string[] {
  return lines.split('\n').flatMap((line) => {
    const [, address = '', flags = ''] = line.split(' ');
    const fails = flags.split(',').some((flag) => flag === 'fail' || flag === 'fail?');
    return fails ? [address.split('@')[0] ?? address] : [];
  });
}

function different(hosts: readonly RedisHost[]): RedisHost[] {
  return [...new Map(hosts.map((host) => [placeOfHost(host), host])).values()];
}

function explained(error: unknown, host: RedisHost): unknown {
  if (isRefusedLogin(error)) return refusedLogin(error);
  if (!(error instanceof Error && /cluster support disabled|unknown command/i.test(error.message)))
    return error;
  return new RedisFault(
    `${placeOfHost(host)} is not a node of a Redis Cluster`,
    'begin REDIS_URL with redis:// to name one Redis',
    { cause: error },
  );
}
