import { arch, cpus, platform, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { stopProcesses } from '../support/processes.js';
import { type Ended, runScenarios } from './scenario.js';
import { LANES, SCENARIOS } from './scenarios.js';

const USAGE = `npm run test:faults -- [ids] [--full] [--json] [--seed <number>]

Injects faults into installations of real processes and counts what was lost and what came twice.
Without ids all run: ${SCENARIOS.map(({ id }) => id).join(' ')}
--full  all repetitions and durations, instead of the quick form
--json  one object a line: id, repetitions, accepted, lost, dup, dup_bound, seed, ok
--seed  what the pseudo-random choices follow from; printed with every result
Ends with 1 when any of them is not ok.`;

/** @returns the exit code. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      full: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const unknown = positionals.filter((id) => !SCENARIOS.some((scenario) => scenario.id === id));
  if (unknown.length > 0 || !/^\d{1,9}$/.test(values.seed)) {
    console.error(
      `${unknown.length > 0 ? `no such scenario: ${unknown.join(' ')}` : 'no such seed'}\n\n${USAGE}`,
    );
    return 2;
  }
  const chosen = SCENARIOS.filter(({ id }) => positionals.length === 0 || positionals.includes(id));
  const options = { seed: Number(values.seed), full: values.full };
  if (!values.json) console.log(heading(options));
  let failed = 0;
  for (const end of runScenarios(chosen, LANES, options)) {
    const ended = await end;
    if (!ended.verdict.ok) failed += 1;
    console.log(values.json ? asJson(ended) : asRow(ended));
    for (const what of ended.verdict.left_out ?? [])
      console.error(`      ${ended.verdict.id}: not tried: ${what}`);
    for (const reason of ended.verdict.broken) console.error(`      ${ended.verdict.id}: ${reason}`);
  }
  return failed === 0 ? 0 : 1;
}

function asJson({ verdict }: Ended): string {
  const { id, repetitions, accepted, lost, dup, dup_bound, seed, ok } = verdict;
  return JSON.stringify({ id, repetitions, accepted, lost, dup, dup_bound, seed, ok });
}

function heading({ seed, full }: { seed: number; full: boolean }): string {
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const machine = `${platform()} ${arch()}, ${cpus().length} cores, ${gigabytes} GB, Node ${process.version}`;
  return (
    `${full ? 'full' : 'quick'} form, seed ${seed}; ${machine}\n\n` +
    'id   ok    repetitions  accepted  lost  dup  bound  seconds  what is injected'
  );
}

function asRow({ scenario, verdict, seconds }: Ended): string {
  const { id, ok, repetitions, accepted, lost, dup, dup_bound } = verdict;
  return [
    id.padEnd(3),
    (ok ? 'ok' : 'FAIL').padEnd(4),
    String(repetitions).padStart(11),
    String(accepted).padStart(8),
    String(lost).padStart(4),
    String(dup).padStart(3),
    String(dup_bound).padStart(5),
    seconds.toFixed(1).padStart(7),
    scenario.title,
  ].join('  ');
}

/** On a signal, ends the started processes; the services' watchdogs end the services. */
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stopProcesses().finally(() => process.exit(130)));
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(2);
  },
);
