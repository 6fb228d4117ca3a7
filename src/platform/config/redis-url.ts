import { parseUrl } from '../text/url.js';
import type { Format } from './variables.js';

/** A machine and a port. */
export interface RedisHost {
  host: string;
  port: number;
}

export interface RedisLogin {
  /** Empty: the default user. */
  username: string;
  /** Empty: none. */
  password: string;
}

interface Common {
  login: RedisLogin;
  /** TLS with every server, and with the Sentinels. */
  encrypted: boolean;
}

/** One Redis at a fixed address. */
export interface OneServer extends Common {
  kind: 'server';
  hosts: readonly [RedisHost];
  /** For the client, which also knows options that Vigie does not need. */
  url: string;
}

/** The primary that Sentinels name. */
export interface SentinelTarget extends Common {
  kind: 'sentinel';
  /** The Sentinels. */
  hosts: readonly RedisHost[];
  /** The name of the master that the Sentinels watch. */
  name: string;
  db: number;
  sentinelLogin: RedisLogin;
}

export interface ClusterTarget extends Common {
  kind: 'cluster';
  /** Some of its nodes: the client learns the others from them. */
  hosts: readonly RedisHost[];
}

/** Where Redis is, and how to log in: the meaning of REDIS_URL. */
export type RedisTarget = OneServer | SentinelTarget | ClusterTarget;

const REDIS_PORT = 6_379;
const SENTINEL_PORT = 26_379;
/** Addresses in one URL. More are certainly a mistake. */
const MAX_HOSTS = 50;
const PARTS = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?$/i;
const BEGINNINGS = 'redis://, redis+sentinel:// or redis+cluster:// (with TLS: rediss…)';
const SENTINEL_FORM = 'redis+sentinel://sentinel1:26379,sentinel2:26379/mymaster';

/** The setting's rule. */
export const REDIS_URL: Format = {
  type: `URL that begins with ${BEGINNINGS}`,
  check: (text) => void parseRedisUrl(text),
};

/**
 * Reads `redis://user:password@host:port/db`, `redis+sentinel://user:password@host:port,host:port/name/db` or
 * `redis+cluster://user:password@host:port,host:port`.
 * @throws Error whose message is the end of a sentence, without any part of the text: it may hold a password.
 */
export function parseRedisUrl(text: string): RedisTarget {
  const [, scheme = '', kind = 'server', authority = '', path = '', query = ''] = PARTS.exec(text) ?? [];
  if (scheme === '') throw new Error(`must be a URL that begins with ${BEGINNINGS}`);
  const at = authority.lastIndexOf('@');
  const common: Common = {
    login: loginOf(authority.slice(0, Math.max(at, 0))),
    encrypted: scheme.toLowerCase() === 'rediss',
  };
  const hosts = authority.slice(at + 1);
  switch (kind.toLowerCase()) {
    case 'sentinel':
      return sentinelTarget(common, hosts, path, query);
    case 'cluster':
      return clusterTarget(common, hosts, path, query);
    default:
      return oneServer(common, hosts, text);
  }
}

/** The addresses in REDIS_URL, without a password: for people. */
export function placeOfRedis(target: RedisTarget): string {
  const places = target.hosts.map(placeOfHost).join(', ');
  return target.kind === 'sentinel' ? `${places} (Sentinel, ${target.name})` : places;
}

export function placeOfHost({ host, port }: RedisHost): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function oneServer(common: Common, hosts: string, url: string): OneServer {
  if (hosts.includes(','))
    throw new Error('names several hosts: begin it with redis+sentinel:// or redis+cluster://');
  if (parseUrl(url) === null) throw new Error(`must be a URL that begins with ${BEGINNINGS}`);
  const [host = { host: 'localhost', port: REDIS_PORT }] = hosts === '' ? [] : hostsOf(hosts, REDIS_PORT);
  return { ...common, kind: 'server', hosts: [host], url };
}

function sentinelTarget(common: Common, hosts: string, path: string, query: string): SentinelTarget {
  if (hosts === '') throw new Error(`must name at least one Sentinel: ${SENTINEL_FORM}`);
  const [, name = '', db = '0', ...more] = path.split('/');
  if (name === '')
    throw new Error(`must end with the name of the master that the Sentinels watch: ${SENTINEL_FORM}`);
  if (!/^\d{1,5}$/.test(db) || more.length > 0)
    throw new Error(
      `must have only the number of a database after the name of the master: ${SENTINEL_FORM}/0`,
    );
  const options = optionsOf(query, ['sentinel_username', 'sentinel_password']);
  return {
    ...common,
    kind: 'sentinel',
    hosts: hostsOf(hosts, SENTINEL_PORT),
    name: decoded(name),
    db: Number(db),
    sentinelLogin: {
      username: options.get('sentinel_username') ?? '',
      password: options.get('sentinel_password') ?? '',
    },
  };
}

function clusterTarget(common: Common, hosts: string, path: string, query: string): ClusterTarget {
  if (hosts === '') throw new Error('must name at least one node: redis+cluster://node1:6379,node2:6379');
  if (!/^\/?0?$/.test(path)) throw new Error('must not choose a database: a Redis Cluster has only number 0');
  optionsOf(query, []);
  return { ...common, kind: 'cluster', hosts: hostsOf(hosts, REDIS_PORT) };
}

function hostsOf(text: string, defaultPort: number): RedisHost[] {
  const parts = text.split(',');
  if (parts.length > MAX_HOSTS) throw new Error(`must not have more than ${MAX_HOSTS} hosts`);
  return parts.map((part, position) => {
    // Of the URL standard's rules only those for a host and its port.
    const { hostname, port } = parseUrl(`redis://${part}`) ?? { hostname: '', port: '' };
    if (hostname === '')
      throw new Error(`must have a host and optionally a port (host:port) as host number ${position + 1}`);
    return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? defaultPort : Number(port) };
  });
}

function loginOf(text: string): RedisLogin {
  const [username = '', ...password] = text.split(':');
  return { username: decoded(username), password: decoded(password.join(':')) };
}

function optionsOf(query: string, known: readonly string[]): URLSearchParams {
  const options = new URLSearchParams(query);
  if ([...options.keys()].some((name) => !known.includes(name))) {
    const only = known.length === 0 ? 'none' : `only ${known.join(' and ')}`;
    throw new Error(`has an unknown option after the question mark: Vigie knows ${only}`);
  }
  return options;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error('has a % that does not begin an escape: write % as %25');
  }
}
