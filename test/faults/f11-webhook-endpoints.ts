import {
  type Behaviour,
  type ReceivedCall,
  Receiver,
} from '../../src/delivery/channels/webhook/receiver.fixture.js';
import { until } from '../support/until.js';
import { Driver } from './driver.js';
import type { RunOptions, Scenario, Verdict } from './scenario.js';
import { onStage, type Stage } from './stage.js';

const CONCURRENCY = 20;
const FACTS = 6;
/** They hold a call for 20 s each, of the 10 that one tenant may have in flight. */
const SILENT = ['silent.1', 'silent.2', 'silent.3', 'silent.4', 'silent.5', 'silent.6'];
/** An endpoint that has never worked has one call at a time: two silent facts take 40 s. */
const SILENT_FACTS = 2;

/** How each endpoint answers the first call of a fact (silent ones: of the first two); the next ones get 200. */
const FAULTS: Readonly<Record<string, Behaviour>> = {
  sound: 200,
  '500': 500,
  '429': { status: 429, headers: { 'retry-after': '2' } },
  reset: 'reset_after_request',
  no_http: 'no_http',
  ...Object.fromEntries(SILENT.map((name) => [name, 'silence'])),
  endless: 'endless_body',
  slow: 'slow_body',
};
/** It never answers anything else. */
const REDIRECT: Behaviour = { status: 307, headers: { location: '/sound' } };

export const f11: Scenario = {
  id: 'F11',
  title: 'webhook endpoints answer 500, 429, a redirect, an endless body, or nothing; kill -9 during calls',
  run: async (options) => {
    const receiver = await Receiver.start();
    try {
      const settings = {
        WEBHOOK_ALLOWED_NETWORKS: 'loopback',
        WEBHOOK_ALLOW_HTTP: 'true',
        WEBHOOK_CONCURRENCY: String(CONCURRENCY),
      };
      return await onStage(settings, (stage) => new Endpoints(stage, receiver, options).run());
    } finally {
      await receiver.close();
    }
  },
};

class Endpoints {
  /** How often each call, `<endpoint> <webhook-id>`, was answered with 200. */
  private readonly accepted = new Map<string, number>();
  private readonly met = new Set<string>();

  constructor(
    private readonly stage: Stage,
    private readonly receiver: Receiver,
    private readonly options: RunOptions,
  ) {}

  async run(): Promise<Verdict> {
    const { installation } = this.stage;
    const [web, worker] = await Promise.all([
      installation.startProcess('web'),
      installation.startProcess('worker'),
      installation.startProcess('scheduler'),
    ]);
    const driver = await Driver.start(web.url);
    this.receiver.behave((call) => this.answer(call));
    const base = this.receiver.url.replace('/hook', '');
    const recovering: string[] = [];
    for (const name of Object.keys(FAULTS)) recovering.push(await driver.endpoint(`${base}/${name}`));
    const redirect = await driver.endpoint(`${base}/redirect`);
    await driver.deadlines(FACTS);
    await until('the sound endpoint to have all', () => this.namesOf('sound').length === FACTS, 60_000);
    for (const name of SILENT)
      this.stage.expect(
        this.callsOf(name).length <= 1,
        `the sound endpoint waited until a call of ${name} had timed out`,
      );
    await until('calls in flight', () => SILENT.every((name) => this.callsOf(name).length > 0));
    // The kill explains a second call only where the first had no outcome yet.
    const [failed] = await installation.sql<{ count: string }>(
      `SELECT count(*) FROM deliveries WHERE address = $1 AND state = 'failed'`,
      [redirect],
    );
    worker.kill('SIGKILL');
    await worker.ended;
    await installation.startProcess('worker');
    if (!(await installation.drained(60_000)))
      // The kill has cut off second attempts: the third ones come after 5 minutes, or when an admin asks for them.
      for (const id of recovering) await driver.replay(id);
    this.stage.expect(await installation.drained(120_000), 'calls were still under way after 3 minutes');
    return this.judge(FACTS - Number(failed?.count));
  }

  private answer(call: ReceivedCall): Behaviour {
    const name = call.path.slice(1);
    if (name === 'redirect') return REDIRECT;
    const key = `${name} ${String(call.headers['webhook-id'])}`;
    const first = !this.met.has(key);
    this.met.add(key);
    const facts = [...this.met].filter((other) => other.startsWith(`${name} `)).length;
    const works = !first || (SILENT.includes(name) && facts > SILENT_FACTS);
    const behaviour = works ? 200 : (FAULTS[name] ?? 200);
    // A cut-off body is a 200, too.
    if (behaviour === 200 || behaviour === 'endless_body' || behaviour === 'slow_body')
      this.accepted.set(key, (this.accepted.get(key) ?? 0) + 1);
    return behaviour;
  }

  private namesOf(endpoint: string): string[] {
    return [...this.accepted.keys()].filter((key) => key.startsWith(`${endpoint} `));
  }

  private callsOf(endpoint: string): ReceivedCall[] {
    return this.receiver.calls.filter(({ path }) => path === `/${endpoint}`);
  }

  /** @param cutOff calls of the redirecting endpoint whose outcome the kill may have lost */
  private async judge(cutOff: number): Promise<Verdict> {
    const { stage, options } = this;
    const names = Object.keys(FAULTS);
    for (const name of names) {
      const facts = this.namesOf(name).length;
      stage.expect(facts === FACTS, `${name} accepted ${facts} of ${FACTS}`);
    }
    const redirected = this.callsOf('redirect').length;
    stage.expect(
      redirected >= FACTS && redirected <= FACTS + cutOff,
      `the redirect was called ${redirected} times, ${cutOff} of them possibly again`,
    );
    const states = await stage.installation.sql<{ state: string; count: string }>(
      `SELECT d.state, count(*) FROM deliveries d WHERE d.channel = 'webhook' GROUP BY 1 ORDER BY 1`,
    );
    const found = states.map(({ state, count }) => `${state} ${count}`).join(', ');
    const right = `failed ${FACTS}, sent ${FACTS * names.length}`;
    stage.expect(found === right, `deliveries are ${found} and not ${right}`);
    const dup = [...this.accepted.values()].reduce((sum, times) => sum + times - 1, 0);
    stage.expect(dup <= CONCURRENCY, `${dup} calls were accepted again`);
    const accepted = FACTS * names.length;
    const lost = accepted - this.accepted.size;
    return {
      ...{ id: 'F11', repetitions: names.length + 1, accepted, lost, dup, dup_bound: CONCURRENCY },
      ...{ seed: options.seed, ok: stage.broken.length === 0, broken: stage.broken },
    };
  }
}
