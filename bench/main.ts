import { availableParallelism, loadavg } from 'node:os';
import type { Benchmark, Measurement } from './benchmark.js';
import { startServices } from './context.js';
import { p1 } from './p1-check.js';
import { p10 } from './p10-cleanup.js';
import { p12 } from './p12-bundles.js';
import { p2 } from './p2-mail.js';
import { p3 } from './p3-dispatch.js';
import { p4 } from './p4-live.js';
import { p5 } from './p5-feed.js';
import { p6 } from './p6-messages.js';
import { p7 } from './p7-fairness.js';
import { p8 } from './p8-idle.js';
import { p9 } from './p9-scan.js';
import { s1 } from './s1-bodies.js';
import { asJson, asTable, machine } from './report.js';

const BENCHMARKS: readonly Benchmark[] = [p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p12, s1];

const USAGE = `npm run bench [-- ${BENCHMARKS.map(({ id }) => id).join(' ')} --json --quick]`;

interface Arguments {
  chosen: readonly Benchmark[];
  json: boolean;
  quick: boolean;
}

/** @throws Error for an argument that is neither a benchmark nor an option. */
function readArguments(words: readonly string[]): Arguments {
  const ids = words.filter((word) => !word.startsWith('--'));
  const unknown = [
    ...ids.filter((id) => !BENCHMARKS.some((benchmark) => benchmark.id === id)),
    ...words.filter((word) => word.startsWith('--') && !['--json', '--quick'].includes(word)),
  ];
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(' ')}\n${USAGE}`);
  return {
    chosen: ids.length === 0 ? BENCHMARKS : BENCHMARKS.filter(({ id }) => ids.includes(id)),
    json: words.includes('--json'),
    quick: words.includes('--quick'),
  };
}

const say = (line: string) => process.stderr.write(`${line}\n`);
const print = (line: string) => process.stdout.write(`${line}\n`);

/** @returns whether all targets were met; meaningless for a quick bench. */
async function main({ chosen, json, quick }: Arguments): Promise<boolean> {
  say(machine());
  if (quick) say('quick: small sizes that show that everything works; the figures say nothing');
  const services = await startServices(quick, say);
  const [load = 0] = loadavg();
  if (load > availableParallelism() / 2) {
    services.context.note(`the machine was busy: load ${load.toFixed(1)} on ${availableParallelism()} CPUs`);
  }
  // On Ctrl-C, end the processes first: the terminal does not.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void services.stop().finally(() => process.exit(1)));
  }
  const measured: Measurement[] = [];
  try {
    for (const benchmark of chosen) {
      say(`${benchmark.id}: ${benchmark.title}`);
      const began = performance.now();
      const measurements = await benchmark.run(services.context);
      if (json) for (const measurement of measurements) print(asJson(measurement));
      measured.push(...measurements);
      say(`${benchmark.id}: took ${Math.round((performance.now() - began) / 1_000)} s`);
    }
  } finally {
    // Even if one has failed: the others have taken half an hour.
    if (!json) print(asTable(measured));
    await services.stop();
  }
  for (const note of services.notes) say(`note: ${note}`);
  return quick || measured.every(({ ok }) => ok);
}

try {
  const ok = await main(readArguments(process.argv.slice(2)));
  process.exit(ok ? 0 : 1);
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
}
