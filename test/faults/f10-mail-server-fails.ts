import { Driver } from './driver.js';
import { failAtProviders } from './f10-providers.js';
import { failAsAWhole, refuseCertificate } from './f10-way-out.js';
import type { RunOptions, Scenario, Verdict } from './scenario.js';
import type { Act, Behaviour, Step } from './sink.js';
import { onStage, type Stage } from './stage.js';

/** One fault of the mail server, at the first attempt. Those after `@greeting` hit any connection. */
interface Fault {
  step: Step;
  act: Act;
  /** The server may have accepted the mail: it may arrive once more. */
  ambiguous?: boolean;
  /** The server has refused this mail permanently. */
  refused?: boolean;
}

const REPLIES = ['421 4.3.2 Closing', '451 4.3.0 Later', '550 5.1.1 No'];

/** Faults of a connection before it has a mail; the client gives up on a silent greeting after 2 s. */
const GREETINGS: readonly Act[] = ['reset', 'close', { reply: '421 4.3.2 Busy' }, 'silence', 'trickle'];

const QUICK: Record<string, Fault> = Object.fromEntries([
  ...(['rcpt', 'data', 'body', 'dot'] as const).map((step) => [
    `reset-${step}`,
    { step, act: 'reset', ambiguous: step === 'dot' } satisfies Fault,
  ]),
  ...(['rcpt', 'data', 'dot'] as const).flatMap((step) =>
    REPLIES.map((reply) => [
      `${reply.slice(0, 3)}-${step}`,
      { step, act: { reply }, refused: reply.startsWith('5') } satisfies Fault,
    ]),
  ),
]) as Record<string, Fault>;

/** These take a minute each: the sender's time limit for an answer. */
const SLOW: Record<string, Fault> = Object.fromEntries(
  (['rcpt', 'data', 'dot'] as const).flatMap((step) =>
    (['silence', 'trickle'] as const).map((act) => [
      `${act}-${step}`,
      { step, act, ambiguous: step === 'dot' } satisfies Fault,
    ]),
  ),
);

export const f10: Scenario = {
  id: 'F10',
  title:
    'mail servers and providers of SMS and pushes fail at each step, are down, or refuse the login or sender',
  run: async (options) => {
    // Three installations in parallel; most of their time is waiting for probes.
    const [atEachStep, atProviders, others] = await Promise.all([
      failAtEachStep(options),
      failAtProviders(options),
      failAsAWhole(options).then(async (wayOut) => [wayOut, await refuseCertificate(options)]),
    ]);
    return together([atEachStep, atProviders, ...others]);
  },
};

const SETTINGS = {
  RETRY_DELAY_SECONDS: '1',
  RETRY_MAX_ATTEMPTS: '6',
  MAIL_CONCURRENCY: '30',
  CHANNEL_PROBE_SECONDS: '1',
  CHANNEL_PROBE_MAX_SECONDS: '2',
  SMTP_GREETING_TIMEOUT_SECONDS: '2',
};

function failAtEachStep(options: RunOptions): Promise<Verdict> {
  return onStage(SETTINGS, async (stage) => {
    const { installation, sink } = stage;
    const faults = options.full ? { ...QUICK, ...SLOW } : QUICK;
    const copies = options.full ? 5 : 1;
    const [web] = await Promise.all([
      installation.startProcess('web'),
      installation.startProcess('worker'),
      installation.startProcess('scheduler'),
    ]);
    const addressesOf = (some: Record<string, Fault>) =>
      Object.keys(some).flatMap((name) =>
        Array.from({ length: copies }, (_, copy) => `${name}.${copy}@cabinet-martin.example`),
      );
    sink.behave(misbehave(faults));
    const driver = await Driver.start(web.url);
    // Without a recent success, mails are sent one at a time, and a silent server takes a minute: it has its own wave.
    for (const wave of options.full ? [QUICK, SLOW] : [QUICK]) {
      await Promise.all(addressesOf(wave).map((address) => driver.person(address)));
      await installation.drained(options.full ? 300_000 : 60_000);
    }
    await expectRefusedForGood(stage, faults);
    const ambiguous = Object.values(faults).filter((fault) => fault.ambiguous === true).length * copies;
    await expectOnlyAmbiguousRepeats(stage, faults);
    return stage.judge(driver, options, {
      id: 'F10',
      repetitions: addressesOf(faults).length + GREETINGS.length,
      dup_bound: ambiguous,
    });
  });
}

/** The first connections get the faulty greetings; each address gets its fault at its first attempt. */
function misbehave(faults: Record<string, Fault>): Behaviour {
  const met = new Set<string>();
  return (step, { connection, to }) => {
    if (step === 'greeting') return GREETINGS[connection - 1] ?? 'ok';
    const fault = faults[nameOf(to ?? '')];
    if (to === null || fault?.step !== step || met.has(to)) return 'ok';
    met.add(to);
    return fault.act;
  };
}

const nameOf = (address: string): string => address.split('.')[0] ?? '';

async function expectRefusedForGood(stage: Stage, faults: Record<string, Fault>): Promise<void> {
  const rows = await stage.installation.sql<{ address: string; state: string }>(
    `SELECT address, state FROM deliveries`,
  );
  for (const { address, state } of rows) {
    const refused = faults[nameOf(address)]?.refused === true;
    const attempts = stage.sink.timesAsked(address);
    stage.expect(state === (refused ? 'failed' : 'sent'), `${address} is ${state}`);
    if (refused) stage.expect(attempts === 1, `${address} was refused for good and tried ${attempts} times`);
  }
}

/** At most once, and only if the answer to the whole message was missing. */
async function expectOnlyAmbiguousRepeats(stage: Stage, faults: Record<string, Fault>): Promise<void> {
  for (const [id, times] of stage.sink.repeats()) {
    const [row] = await stage.installation.sql<{ address: string }>(
      `SELECT address FROM deliveries WHERE id = $1`,
      [id],
    );
    const ambiguous = faults[nameOf(row?.address ?? '')]?.ambiguous === true;
    stage.expect(times === 1 && ambiguous, `${row?.address ?? id} arrived ${times + 1} times`);
  }
}

function together(parts: readonly Verdict[]): Verdict {
  const sum = (of: (part: Verdict) => number) => parts.reduce((all, part) => all + of(part), 0);
  return {
    id: 'F10',
    repetitions: sum(({ repetitions }) => repetitions),
    accepted: sum(({ accepted }) => accepted),
    lost: sum(({ lost }) => lost),
    dup: sum(({ dup }) => dup),
    dup_bound: sum(({ dup_bound }) => dup_bound),
    seed: parts[0]?.seed ?? 0,
    ok: parts.every(({ ok }) => ok),
    broken: parts.flatMap(({ broken }) => broken),
  };
}
