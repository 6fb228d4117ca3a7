import { Test } from '@nestjs/testing';
import { Clock, SystemClock } from './clock.js';
import { ClockModule } from './clock.module.js';
import { FixedClock } from './fixed-clock.js';

describe('Clock', () => {
  it('is the one that the application was started with', async () => {
    const clock = new FixedClock('2026-03-29T00:59:00Z');
    const app = await Test.createTestingModule({ imports: [ClockModule.forRoot(clock)] }).compile();
    expect(app.get(Clock)).toBe(clock);
  });

  it("can be the machine's", () => {
    const before = Date.now();
    const now = new SystemClock().now().getTime();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });

  it('stands still when fixed, and moves on request', () => {
    const clock = new FixedClock('2026-03-29T00:59:00Z');
    clock.now().setTime(0);
    expect(clock.now()).toEqual(new Date('2026-03-29T00:59:00Z'));
    clock.advance(60_000);
    expect(clock.now()).toEqual(new Date('2026-03-29T01:00:00Z'));
    clock.set(new Date('2020-01-01T00:00:00Z'));
    expect(clock.now()).toEqual(new Date('2020-01-01T00:00:00Z'));
  });

  it.each(['2026-03-29T00:59:00', '2026-03-29', 'yesterday', ''])('does not start at %j', (text) => {
    expect(() => new FixedClock(text)).toThrow(RangeError);
  });
});
