import { Logger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { until } from '../../../test/support/until.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { readWakeUp } from './wake-up-reading.js';
import { WakeUps } from './wake-ups.js';

const tenant_id = '01890000-0000-7000-8000-000000000001';

describe('S2: a message on the wake-up channel', () => {
  it.each([
    { name: 'dispatch.kick', message: { channel: 'email' } },
    { name: 'feed.changed', message: { tenant_id, user_ids: ['a', 'b'] } },
    { name: 'access.revoked', message: { tenant_id } },
    { name: 'access.revoked', message: { tenant_id, user_ids: [] } },
  ])('is read when it is a wake-up: %j', (wakeUp) => {
    expect(readWakeUp(JSON.stringify(wakeUp))).toEqual(wakeUp);
  });

  it.each([
    ['null', 'null'],
    ['nothing', ''],
    ['not JSON', '{"name":'],
    ['a number', '1'],
    ['a list', '[]'],
    ['a name alone', '{"name":"dispatch.kick"}'],
    ['a message that is null', '{"name":"dispatch.kick","message":null}'],
    ['a message that is a list', '{"name":"dispatch.kick","message":[]}'],
    ['an unknown name', '{"name":"constructor","message":{}}'],
    ['a name of the prototype', '{"name":"__proto__","message":{"channel":"email"}}'],
    ['a name that is not a text', '{"name":{},"message":{"channel":"email"}}'],
    ['a channel that is not a text', '{"name":"dispatch.kick","message":{"channel":{}}}'],
    ['users that are not a list', '{"name":"feed.changed","message":{"tenant_id":"a","user_ids":"b"}}'],
    ['users that are not texts', '{"name":"feed.changed","message":{"tenant_id":"a","user_ids":[1]}}'],
    ['users without a tenant', '{"name":"feed.changed","message":{"user_ids":[]}}'],
    [
      'revoked users that are not a list',
      '{"name":"access.revoked","message":{"tenant_id":"a","user_ids":null}}',
    ],
    ['deep nesting', '['.repeat(50_000) + ']'.repeat(50_000)],
    [
      'too many users',
      JSON.stringify({ name: 'feed.changed', message: { tenant_id, user_ids: Array(1_001).fill('a') } }),
    ],
    ['too much', JSON.stringify({ name: 'dispatch.kick', message: { channel: 'x'.repeat(100_001) } })],
  ])('is ignored when it is %s', (_what, text) => {
    expect(readWakeUp(text)).toBeNull();
  });

  describe('reaches a process', () => {
    let world: World;
    let redis: Redis;
    beforeAll(async () => {
      world = await createWorld();
      redis = new Redis(world.config.redisUrl ?? '');
    });
    afterAll(async () => {
      redis.disconnect();
      await world.close();
    });
    const publish = (text: string) => redis.publish(`${world.config.redisPrefix}:wake-ups`, text);

    it('which continues after garbage, and after a failing listener', async () => {
      const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
      const error = jest.spyOn(Logger.prototype, 'error').mockImplementation();
      const heard: string[] = [];
      const wakeUps = world.app.get(WakeUps);
      wakeUps.on('dispatch.kick', ({ channel }) => {
        if (channel === 'broken') throw new Error('listener');
      });
      wakeUps.on('dispatch.kick', ({ channel }) => heard.push(channel));
      await publish('null');
      await publish('{"name":"dispatch.kick"}');
      await publish(JSON.stringify({ name: 'dispatch.kick', message: { channel: 'broken' } }));
      await publish(JSON.stringify({ name: 'dispatch.kick', message: { channel: 'email' } }));
      await until('the last wake-up', () => heard.includes('email'));
      expect(heard).toEqual(['broken', 'email']);
      expect(warn.mock.calls.flat()).toEqual([
        expect.objectContaining({ event: 'wake_up_not_read' }),
        expect.objectContaining({ event: 'wake_up_not_read' }),
      ]);
      expect(error.mock.calls.flat()).toEqual([
        expect.objectContaining({ event: 'wake_up_failed', name: 'dispatch.kick' }),
      ]);
      jest.restoreAllMocks();
    });
  });
});
