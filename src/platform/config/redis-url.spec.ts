import { parseRedisUrl, placeOfRedis } from './redis-url.js';
import { shownSettings } from './shown.js';
import { ConfigurationError, readConfig } from './config.js';

describe('REDIS_URL', () => {
  it('names one server, with what the client knows beyond it', () => {
    expect(parseRedisUrl('rediss://vigie:p%40ss@redis.example:6380/3?family=6')).toEqual({
      kind: 'server',
      hosts: [{ host: 'redis.example', port: 6380 }],
      login: { username: 'vigie', password: 'p@ss' },
      encrypted: true,
      url: 'rediss://vigie:p%40ss@redis.example:6380/3?family=6',
    });
    expect(placeOfRedis(parseRedisUrl('redis://:secret@[::1]'))).toBe('[::1]:6379');
  });

  it('names Sentinels, the master that they watch, and both logins', () => {
    const url =
      'redis+sentinel://vigie:p%40s,s@one:26380,two,[::1]:5/orders/2?sentinel_username=s&sentinel_password=%26';
    expect(parseRedisUrl(url)).toEqual({
      kind: 'sentinel',
      hosts: [
        { host: 'one', port: 26380 },
        { host: 'two', port: 26379 },
        { host: '::1', port: 5 },
      ],
      login: { username: 'vigie', password: 'p@s,s' },
      encrypted: false,
      name: 'orders',
      db: 2,
      sentinelLogin: { username: 's', password: '&' },
    });
    expect(placeOfRedis(parseRedisUrl(url))).toBe('one:26380, two:26379, [::1]:5 (Sentinel, orders)');
  });

  it('names nodes of a cluster', () => {
    expect(parseRedisUrl('rediss+cluster://:secret@one,two:7001')).toEqual({
      kind: 'cluster',
      hosts: [
        { host: 'one', port: 6379 },
        { host: 'two', port: 7001 },
      ],
      login: { username: '', password: 'secret' },
      encrypted: true,
    });
  });

  it.each([
    ['nothing', 'http://canary@redis', /must be a URL that begins with redis:\/\/, redis\+sentinel:\/\//],
    ['no Sentinel', 'redis+sentinel://:canary@/orders', /must name at least one Sentinel: redis\+sentinel/],
    ['no master', 'redis+sentinel://:canary@one,two', /must end with the name of the master/],
    ['no number of a database', 'redis+sentinel://:canary@one/orders/first', /number of a database/],
    ['an empty host', 'redis+sentinel://:canary@one,,two/orders', /as host number 2/],
    ['a port that is none', 'redis+cluster://:canary@one,two:70000', /as host number 2/],
    ['no node', 'redis+cluster://', /must name at least one node/],
    ['a database of a cluster', 'redis+cluster://:canary@one/2', /a Redis Cluster has only number 0/],
    [
      'several hosts without a word',
      'redis://:canary@one,two',
      /several hosts: begin it with redis\+sentinel/,
    ],
    ['an unknown option', 'redis+sentinel://one/orders?canary=1', /unknown option .* only sentinel_username/],
    ['a percent sign', 'redis+cluster://:canary%@one', /write % as %25/],
  ])('is refused with %s, without the password', (_what, url, words) => {
    let faults = '';
    try {
      readConfig({ REDIS_URL: url });
    } catch (error) {
      faults = (error as ConfigurationError).faults.join();
    }
    expect(faults).toMatch(/^REDIS_URL /);
    expect(faults).toMatch(words);
    expect(faults).not.toContain('canary');
  });

  it.each([
    [
      'redis+sentinel://vigie:canary@one:1,two:2/orders?sentinel_password=canary',
      'redis+sentinel://vigie:***@one:1,two:2/orders?***',
    ],
    ['rediss+cluster://:can@ary@one:1,two:2', 'rediss+cluster://:***@one:1,two:2'],
    ['redis+sentinel://:canary@one:1/orders', 'redis+sentinel://:***@one:1/orders'],
    ['redis+cluster://one:1,two:2', 'redis+cluster://one:1,two:2'],
  ])('is shown without its passwords: %s', (url, shown) => {
    const setting = shownSettings(readConfig({ REDIS_URL: url })).find(
      ({ variable }) => variable === 'REDIS_URL',
    );
    expect(setting?.value).toBe(shown);
  });
});
