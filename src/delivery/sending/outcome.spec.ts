import { afterFailure, type RetryRules } from './outcome.js';

const HOUR_MS = 3_600_000;
const RULES: RetryRules = {
  delays_ms: [300_000, 600_000],
  ambiguous_repeats: 1,
  age_ms: 0,
  max_age_ms: 120 * HOUR_MS,
};
const NO_JITTER = 0.5;

/** E4: 3 attempts, 300 s, exponential; a 5xx is never retried; ambiguous sends are repeated once. */
describe('the outcome of a failed attempt', () => {
  it.each([
    ['permanent', 1, 0, { state: 'failed' }],
    ['retryable', 1, 0, { state: 'pending', delay_ms: 300_000, ambiguous: false }],
    ['retryable', 2, 0, { state: 'pending', delay_ms: 600_000, ambiguous: false }],
    ['retryable', 3, 0, { state: 'failed' }],
    ['ambiguous', 1, 0, { state: 'pending', delay_ms: 300_000, ambiguous: true }],
    ['ambiguous', 2, 1, { state: 'unknown' }],
    ['ambiguous', 3, 0, { state: 'unknown' }],
    ['retryable', 2, 1, { state: 'pending', ambiguous: false }],
  ] as const)('%s at attempt %i after %i ambiguous ones', (failure, attempts, ambiguities, expected) => {
    const outcome = afterFailure({ failure, message: 'because' }, attempts, ambiguities, RULES, NO_JITTER);
    expect(outcome).toMatchObject({ ...expected, error: 'because' });
  });

  it('waits as long as the provider asks, up to a day', () => {
    const asked = (retry_after_ms: number) =>
      afterFailure({ failure: 'retryable', message: '', retry_after_ms }, 1, 0, RULES, NO_JITTER);
    expect(asked(3_600_000)).toMatchObject({ delay_ms: 3_600_000 });
    expect(asked(10)).toMatchObject({ delay_ms: 300_000 });
    expect(asked(10 ** 12)).toMatchObject({ delay_ms: 86_400_000 });
  });

  it('spreads retries of simultaneous failures', () => {
    const delay = (random: number) =>
      afterFailure({ failure: 'retryable', message: '' }, 1, 0, RULES, random);
    expect(delay(0)).toMatchObject({ delay_ms: 240_000 });
    expect(delay(1)).toMatchObject({ delay_ms: 360_000 });
  });

  it('M2: a fault of the channel does not count as an attempt and keeps the place, until the message is too old', () => {
    const broken = { failure: 'channel', message: 'no' } as const;
    for (const attempts of [1, 3, 40])
      expect(afterFailure(broken, attempts, 0, RULES)).toEqual({
        state: 'pending',
        error: 'no',
        channel_down: true,
      });
    const old = { ...RULES, age_ms: 120 * HOUR_MS + 1 };
    expect(afterFailure(broken, 1, 0, old)).toEqual({ state: 'failed', error: 'no', reason: 'expired' });
  });

  it.each([
    [0, 300_000],
    [HOUR_MS, HOUR_MS / 2],
    [20 * HOUR_MS, HOUR_MS],
  ])(
    'M2: a message that may be the cause itself yields to others: at the age of %i ms for %i ms',
    (age_ms, delay) => {
      const suspect = { failure: 'channel', message: 'no', with_message: true } as const;
      const outcome = afterFailure(suspect, 1, 0, { ...RULES, age_ms }, NO_JITTER);
      expect(outcome).toEqual({ state: 'pending', error: 'no', channel_down: true, delay_ms: delay });
    },
  );

  it('M2: such a message waits as long as the provider asks, up to a day', () => {
    const asked = (retry_after_ms: number) =>
      afterFailure(
        { failure: 'channel', message: '', with_message: true, retry_after_ms },
        1,
        0,
        RULES,
        NO_JITTER,
      );
    expect(asked(10)).toMatchObject({ delay_ms: 300_000 });
    expect(asked(3_600_000)).toMatchObject({ channel_down: true, delay_ms: 3_600_000 });
    expect(asked(10 ** 12)).toMatchObject({ delay_ms: 86_400_000 });
  });

  it('stores at most 1,000 characters of an error', () => {
    const outcome = afterFailure({ failure: 'permanent', message: 'x'.repeat(5_000) }, 1, 0, RULES);
    expect(outcome).toEqual({ state: 'failed', error: 'x'.repeat(1_000) });
  });
});
