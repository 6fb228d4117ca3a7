import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Role } from '../../src/platform/config/schema.js';
import type { ServerProcess } from '../support/processes.js';
import { Driver } from './driver.js';
import { Random } from './random.js';
import type { Scenario } from './scenario.js';
import { onStage, type Stage } from './stage.js';

const EXIT_MS = 20_000;
/** How many lines from the end of its log are shown for a process that did not stop. */
const LOG_LINES = 20;
const ROLES: readonly Role[] = ['web', 'worker', 'scheduler'];
/** How long the mail server takes for a mail, so that some are always in flight. */
const SEND_MS = 200;
/** Clients that create users. More would only slow down the starting processes. */
const CLIENTS = 2;

export const f13: Scenario = {
  id: 'F13',
  title: 'SIGTERM under load, of each role in turn, its successor running',
  run: (options) =>
    onStage({}, async (stage) => {
      const random = new Random(options.seed);
      const { installation, sink } = stage;
      sink.behave((step) => delay(step === 'dot' ? SEND_MS : 0, 'ok'));
      const repetitions = options.full ? 50 : 3;
      const running = new Map<Role, ServerProcess>();
      await Promise.all(ROLES.map(async (role) => running.set(role, await installation.startProcess(role))));
      const driver = await Driver.start(running.get('web')!.url);
      const load = driver.load(CLIENTS);
      let turns: Role[] = [];
      for (let repetition = 0; repetition < repetitions; repetition++) {
        if (turns.length === 0) turns = random.shuffled(ROLES);
        const role = turns.pop()!;
        const successor = await installation.startProcess(role);
        const victim = running.get(role)!;
        running.set(role, successor);
        if (role === 'web') driver.urls = [victim.url, successor.url];
        await sink.more(random.between(5, 30));
        await terminate(stage, role, victim);
        if (role === 'web') driver.urls = [successor.url];
      }
      await load.stop();
      const verdict = await stage.judge(driver, options, { id: 'F13', repetitions, dup_bound: 0 });
      // A stopping process finishes its sends and releases the rest: no lease expires while sending.
      const left = await installation.count(`SELECT count(*) FROM deliveries WHERE ambiguities > 0`);
      stage.expect(left === 0, `${left} deliveries were left in the middle of sending`);
      return { ...verdict, ok: verdict.ok && left === 0 };
    }),
};

async function terminate(stage: Stage, role: Role, victim: ServerProcess): Promise<void> {
  // Like a browser, a client opens a connection early and sends no request.
  const { port, hostname } = new URL(victim.url);
  const silent = connect(Number(port), hostname).on('error', () => undefined);
  const askedAt = performance.now();
  victim.kill('SIGTERM');
  const code = await Promise.race([victim.ended, delay(EXIT_MS + 5_000, 'running', { ref: false })]);
  const ms = Math.round(performance.now() - askedAt);
  silent.destroy();
  const log = victim.lines.slice(-LOG_LINES).join('\n');
  stage.expect(code === 0 && ms <= EXIT_MS, `${role} after SIGTERM: ${code} after ${ms} ms\n${log}`);
}
