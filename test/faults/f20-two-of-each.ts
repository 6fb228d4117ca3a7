import { setTimeout as delay } from 'node:timers/promises';
import type { Role } from '../../src/platform/config/schema.js';
import type { ServerProcess } from '../support/processes.js';
import { until } from '../support/until.js';
import { Driver } from './driver.js';
import { LiveReader } from './live-reader.js';
import { Random } from './random.js';
import type { RunOptions, Scenario, Verdict } from './scenario.js';
import { SlotsOfNow } from './slots-of-now.js';
import { onStage, type Stage } from './stage.js';

const ROLES: readonly Role[] = ['web', 'worker', 'scheduler'];
const CONCURRENCY = 3;
/** How long the mail server takes for a mail, so that some are always in flight. */
const SEND_MS = 100;
/** Users with a socket at each web process. */
const READERS = 3;
/** Tenants that are added before a kill, each with about seven owed slots. */
const TENANTS = 10;
/** Between two requests of a client: the processes need the machine to start. */
const PAUSE_MS = 250;
/** The lease of a run that the killed worker has taken lasts a minute; lost wake-ups are noticed after 15 s. */
const ARRIVED_MS = 120_000;

export const f20: Scenario = {
  id: 'F20',
  title: 'two web, two worker and two scheduler processes; kill -9 of one of each under load',
  run: (options) =>
    onStage(
      { MAIL_CONCURRENCY: String(CONCURRENCY), SCHEDULER_ENABLED: 'true', SCHEDULER_POLL_SECONDS: '1' },
      (stage) => new TwoOfEach(stage, options).run(),
    ),
};

interface Killed {
  role: Role;
  position: number;
  port: string;
}

class TwoOfEach {
  private readonly random: Random;
  private readonly slots: SlotsOfNow;
  private readonly processes = new Map<Role, ServerProcess[]>();
  private readonly readers: LiveReader[] = [];
  /** The ids of each user's messages. */
  private readonly messages = new Map<string, string[]>();

  constructor(
    private readonly stage: Stage,
    private readonly options: RunOptions,
  ) {
    this.random = new Random(options.seed);
    this.slots = new SlotsOfNow(stage.installation);
  }

  async run(): Promise<Verdict> {
    const { installation, sink } = this.stage;
    sink.behave((step) => delay(step === 'dot' ? SEND_MS : 0, 'ok'));
    await Promise.all(
      ROLES.map(async (role) => {
        const two = [installation.startProcess(role), installation.startProcess(role)];
        this.processes.set(role, await Promise.all(two));
      }),
    );
    const urls = (this.processes.get('web') ?? []).map(({ url }) => url);
    const driver = await Driver.start(urls[0] ?? '');
    driver.urls = urls;
    driver.spread = true;
    try {
      await this.connectReaders(driver);
      return await this.underLoad(driver);
    } finally {
      for (const reader of this.readers) reader.close();
    }
  }

  /** Each user reads at both web processes. */
  private async connectReaders(driver: Driver): Promise<void> {
    for (let number = 1; number <= READERS; number++) {
      const email = `reader${number}@cabinet-martin.example`;
      const user_id = await driver.person(email);
      const token = await this.stage.installation.accessToken(driver.urls[0] ?? '', email);
      this.messages.set(user_id, []);
      for (const turn of [0, 1]) this.readers.push(new LiveReader(user_id, token, driver.urls, turn));
    }
    await until('the sockets', () => this.readers.every(({ connected }) => connected));
  }

  private async underLoad(driver: Driver): Promise<Verdict> {
    const users = [...this.messages.keys()];
    const loads = [
      driver.repeat(() => driver.person(), PAUSE_MS),
      driver.repeat(async () => {
        const ids = await driver.notify(users);
        users.forEach((user, position) => this.messages.get(user)?.push(ids[position] ?? ''));
      }, PAUSE_MS),
    ];
    const rounds = this.options.full ? 5 : 1;
    for (let round = 0; round < rounds; round++) {
      await this.killOneOfEach();
      await this.stage.sink.more(10, 60_000);
    }
    await Promise.all(loads.map((load) => load.stop()));
    await this.everythingArrives();
    const { owed, lost } = await this.checkSlots(rounds);
    const verdict = await this.stage.judge(driver, this.options, {
      id: 'F20',
      repetitions: rounds * ROLES.length,
      dup_bound: rounds * CONCURRENCY,
    });
    return { ...verdict, accepted: verdict.accepted + owed, lost: verdict.lost + lost };
  }

  /** The killed ones start again while the others are killed. */
  private async killOneOfEach(): Promise<void> {
    const restarts: Promise<void>[] = [];
    if (this.options.full) {
      for (const role of this.random.shuffled(ROLES)) {
        await this.slots.add(TENANTS);
        restarts.push(this.restarted(await this.killOne(role)));
      }
    } else {
      // A scheduler while slots are owed. A worker after their runs: one that it had taken would wait for a minute.
      await this.slots.add(TENANTS);
      restarts.push(this.restarted(await this.killOne('scheduler')));
      await until('the owed slots to run', () => this.slots.done(), ARRIVED_MS);
      restarts.push(this.restarted(await this.killOne('worker')));
      restarts.push(this.restarted(await this.killOne('web')));
    }
    await Promise.all(restarts);
  }

  /** Kills one of the two under load. */
  private async killOne(role: Role): Promise<Killed> {
    await this.stage.sink.more(this.random.between(5, 15), 60_000);
    const two = this.processes.get(role) ?? [];
    const position = this.random.between(0, 1);
    const victim = two[position];
    if (victim === undefined) throw new Error(`there is no ${role}`);
    victim.kill('SIGKILL');
    await victim.ended;
    return { role, position, port: new URL(victim.url).port };
  }

  /** At the same address. */
  private async restarted({ role, position, port }: Killed): Promise<void> {
    const server = await this.stage.installation.startProcess(role, { PORT: port });
    this.processes.get(role)?.splice(position, 1, server);
  }

  private async everythingArrives(): Promise<void> {
    const missing = () =>
      this.readers.flatMap(({ user_id, ids }) =>
        (this.messages.get(user_id) ?? []).filter((id) => !ids.has(id)),
      );
    const arrived = until('the notifications', () => missing().length === 0, ARRIVED_MS).catch(() => false);
    const ran = until('the owed slots to run', () => this.slots.done(), ARRIVED_MS).catch(() => false);
    await Promise.all([arrived, ran]);
    this.stage.expect(missing().length === 0, `${missing().length} notifications did not reach a client`);
    const dropped = this.readers.filter(({ losses }) => losses > 0).length;
    this.stage.expect(dropped > 0, 'no client lost its connection: nothing was tested');
  }

  private async checkSlots(kills: number): Promise<{ owed: number; lost: number }> {
    const { owed, lost, again } = await this.slots.faults(kills);
    this.stage.expect(owed > 0, 'no slot was owed');
    this.stage.expect(lost.length === 0, `did not run: ${lost.slice(0, 3).join(', ')}`);
    this.stage.expect(again.length === 0, `ran again, or was not owed: ${again.slice(0, 3).join(', ')}`);
    return { owed, lost: lost.length };
  }
}
