import { type Benchmark, compare } from './benchmark.js';
import { insertDeliveries, startMailing } from './support/mailing.js';
import { startSink } from './support/smtp-sink.js';

const NO_OP = new URL('./entries/no-op-sender.js', import.meta.url);

/** Everything about a delivery except the sending: dispatcher, Bull, leases, rendering, outcomes. */
export const p3: Benchmark = {
  id: 'P3',
  title: 'due deliveries of 1,000 tenants through dispatcher, Bull and a no-op sender',
  async run(context) {
    const count = context.size(20_000, 500);
    const mails = context.size(10_000, 300);
    const backlog = context.size(1_000_000, 5_000);
    const tenants = context.size(1_000, 100);
    const sink = await startSink(context);
    const toSink = await startMailing(await context.database(), { tenants: 100, smtpPort: sink.port });
    const options = { tenants, smtpPort: sink.port, entry: NO_OP };
    const alone = await startMailing(await context.database(), options);
    const behind = await startMailing(await context.database(), options);
    context.log(`filling a backlog of ${backlog}`);
    await insertDeliveries(behind.database, backlog);

    const p2Rates: number[] = [];
    const rates: number[] = [];
    const backlogRates: number[] = [];
    for (let run = 1; run <= context.runs; run++) {
      p2Rates.push(mails / (await toSink.send(mails)));
      rates.push(count / (await alone.send(count)));
      backlogRates.push(count / (await behind.send(count)));
      const latest = [rates, p2Rates, backlogRates].map((all) => `${Math.round(all.at(-1) ?? 0)}/s`);
      context.log(`run ${run}: ${latest[0]}; to the mail server ${latest[1]}; with a backlog ${latest[2]}`);
    }
    for (const mailing of [toSink, alone, behind]) {
      await mailing.stop();
      await mailing.database.drop();
    }
    await sink.stop();
    return [
      compare({
        id: 'P3',
        what: `${count} deliveries of ${tenants} tenants to a no-op sender, vs P2`,
        unit: '/s',
        values: rates,
        references: p2Rates,
        target: { at_least: 2 },
      }),
      compare({
        id: 'P3',
        what: `the same with ${backlog} pending behind, vs without`,
        unit: '/s',
        values: backlogRates,
        references: rates,
        target: { at_least: 0.8 },
      }),
    ];
  },
};
