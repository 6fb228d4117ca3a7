import type { DoctorContext } from './context.js';
import { fault, type Finding, note, ok, warning } from './finding.js';
import { withClient } from './postgres-client.js';
import { withConfiguredRedis } from './redis.js';

/** Jobs start this much too early or late, in ms. */
const NOTICEABLE_MS = 2_000;
/** Tokens of another process count as expired or not yet valid, and leases expire under their owner. */
const HARMFUL_MS = 30_000;

const REMEDY = 'Synchronize the clocks of all machines: timedatectl set-ntp true, or chrony';

/** Compares the clock of this machine with those of PostgreSQL and Redis. */
export async function checkClock(context: DoctorContext): Promise<Finding[]> {
  const { config } = context;
  const readings = await Promise.all([
    measure(context, 'PostgreSQL', async () =>
      withClient(config.databaseUrl ?? config.databaseSystemUrl ?? '', async (client) => {
        const began = context.now();
        const { rows } = await client.query<{ at: number }>(
          `SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS at`,
        );
        return { began, at: rows[0]?.at ?? Number.NaN };
      }),
    ),
    measure(context, 'Redis', async () =>
      withConfiguredRedis(config.redisUrl ?? '', async (redis) => {
        const began = context.now();
        const [seconds = Number.NaN, micros = Number.NaN] = await redis.time();
        return { began, at: seconds * 1_000 + micros / 1_000 };
      }),
    ),
  ]);
  return readings;
}

interface Reading {
  /** This machine's clock before the question, in ms. */
  began: number;
  /** The other clock's answer, in ms. */
  at: number;
}

async function measure({ now }: DoctorContext, name: string, read: () => Promise<Reading>): Promise<Finding> {
  try {
    const { began, at } = await read();
    return compareClocks(name, at, began, now());
  } catch {
    return note(`not compared with the clock of ${name}, which does not answer`);
  }
}

/**
 * What the difference of two clocks means.
 * @param at the other clock, in ms since 1970 UTC
 * @param began this machine's clock before the question
 * @param ended ... and after the answer: the other clock was read between them
 */
export function compareClocks(name: string, at: number, began: number, ended: number): Finding {
  const ahead = began > at ? began - at : at > ended ? ended - at : 0;
  const seconds = (Math.abs(ahead) / 1_000).toFixed(1);
  const message = `this machine's clock is ${seconds} s ${ahead > 0 ? 'ahead of' : 'behind'} that of ${name}`;
  if (Math.abs(ahead) >= HARMFUL_MS) return fault(message, REMEDY);
  if (Math.abs(ahead) >= NOTICEABLE_MS) return warning(message, REMEDY);
  return ok(`agrees with the clock of ${name}`);
}
