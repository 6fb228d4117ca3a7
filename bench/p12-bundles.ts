import { type Benchmark, compare } from './benchmark.js';
import { startMailing } from './support/mailing.js';
import { startSink } from './support/smtp-sink.js';

/** Deliveries of one person that leave as one mail. */
const SIZE = 100;

/** Bundled deliveries, from their rows to the mail server and back to their rows. */
export const p12: Benchmark = {
  id: 'P12',
  title: `bundles of ${SIZE} by one worker process`,
  async run(context) {
    const people = context.size(200, 20);
    const mails = context.size(10_000, 300);
    const sink = await startSink(context);
    const single = await startMailing(await context.database(), { tenants: 100, smtpPort: sink.port });
    const options = { tenants: people / 10, smtpPort: sink.port };
    const bundled = await startMailing(await context.database(), options);
    const bundles: number[] = [];
    const deliveries: number[] = [];
    const p2: number[] = [];
    for (let run = 1; run <= context.runs; run++) {
      p2.push(mails / (await single.send(mails)));
      const seconds = await bundled.send(people * SIZE, people);
      bundles.push(people / seconds);
      deliveries.push((people * SIZE) / seconds);
      const latest = [bundles, deliveries, p2].map((rates) => `${Math.round(rates.at(-1) ?? 0)}/s`);
      context.log(`run ${run}: ${latest[0]} mails, ${latest[1]} deliveries; P2 ${latest[2]}`);
    }
    for (const mailing of [single, bundled]) {
      await mailing.stop();
      await mailing.database.drop();
    }
    await sink.stop();
    const what = `${people * SIZE} deliveries of ${people} people, ${SIZE} a mail, vs P2`;
    return [
      compare({
        id: 'P12',
        what: `${what}: mails`,
        unit: 'mails/s',
        values: bundles,
        references: p2,
        target: { at_least: 0.8 },
      }),
      compare({
        id: 'P12',
        what: `${what}: deliveries`,
        unit: '/s',
        values: deliveries,
        references: p2,
        target: { at_least: 20 },
      }),
    ];
  },
};
