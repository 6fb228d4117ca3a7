import { type Benchmark, compare, median } from './benchmark.js';
import type { BenchContext } from './context.js';
import type { BareMailing } from './entries/bare-mailer.js';
import { CONCURRENCY, startMailing } from './support/mailing.js';
import { startEntry } from './support/processes.js';
import { startSink } from './support/smtp-sink.js';

/** The old systems had a worker of two processes, each with one mail and one connection at a time. */
const OLD_CONCURRENCY = 2;

/** Queued mails, from their rows to the mail server and back to their rows. */
export const p2: Benchmark = {
  id: 'P2',
  title: 'queued mails by one worker process, rendered HTML and text',
  async run(context) {
    const mails = context.size(10_000, 300);
    const sink = await startSink(context);
    const mailing = await startMailing(await context.database(), { tenants: 100, smtpPort: sink.port });
    const bare = await startEntry('bare-mailer');
    const rate = async (pooled: boolean, count: number) => {
      const connections = pooled ? CONCURRENCY : OLD_CONCURRENCY;
      const request: BareMailing = { count, port: sink.port, connections, pooled };
      const { seconds } = await bare.ask<{ seconds: number }>(request);
      return count / seconds;
    };
    const ours: number[] = [];
    const pooled: number[] = [];
    const single: number[] = [];
    for (let run = 1; run <= context.runs; run++) {
      ours.push(mails / (await mailing.send(mails)));
      pooled.push(await rate(true, mails));
      single.push(await rate(false, context.size(3_000, 100)));
      const latest = [ours, pooled, single].map((rates) => `${Math.round(rates.at(-1) ?? 0)}/s`);
      context.log(`run ${run}: ${latest[0]}; bare ${latest[1]}; a connection a mail ${latest[2]}`);
    }
    await mailing.stop();
    await mailing.database.drop();
    await twoWorkers(context, sink.port, mails, median(ours));
    await Promise.all([bare.stop(), sink.stop()]);
    return [
      compare({
        id: 'P2',
        what: `${mails} mails, admission and outcomes included, vs a bare pooled nodemailer loop`,
        unit: 'mails/s',
        values: ours,
        references: pooled,
        target: { at_least: 0.65 },
      }),
      compare({
        id: 'P2',
        what: 'the same, vs a connection a mail, two at a time',
        unit: 'mails/s',
        values: ours,
        references: single,
        target: { at_least: 1.3 },
      }),
    ];
  },
};

/** A note for docs/scaling.md: the same by two worker processes. */
async function twoWorkers(
  context: BenchContext,
  smtpPort: number,
  mails: number,
  one: number,
): Promise<void> {
  const mailing = await startMailing(await context.database(), { tenants: 100, workers: 2, smtpPort });
  const rates: number[] = [];
  for (let run = 1; run <= 3; run++) rates.push(mails / (await mailing.send(mails)));
  await mailing.stop();
  await mailing.database.drop();
  context.note(`P2: two worker processes ${Math.round(median(rates))} mails/s, one ${Math.round(one)}`);
}
