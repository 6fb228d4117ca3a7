import {
  type Act,
  type ScriptedSmtp,
  startScriptedSmtp,
  type Step,
  type Where,
} from '../../src/delivery/channels/email/scripted-smtp.fixture.js';
import { until } from '../support/until.js';

export type { Act, Step } from '../../src/delivery/channels/email/scripted-smtp.fixture.js';

/** The mail server's action at a step. */
export type Behaviour = (step: Step, where: Where) => Act | Promise<Act>;

/** A step at which every mail has to wait. */
export interface Hold {
  /** Mails that are or were waiting. */
  readonly held: number;
  release(): void;
}

/**
 * The mail server of an installation, on a socket. It keeps every mail that arrived completely and was not refused,
 * even if its sender never got the answer.
 */
export class Sink {
  /** The bundle ids of the accepted mails, in order. */
  readonly received: string[] = [];
  private readonly asked = new Map<string, number>();
  private smtp: ScriptedSmtp;
  private behaviour: Behaviour = () => 'ok';
  private stoppedAt = 0;

  static async start(): Promise<Sink> {
    const sink = new Sink();
    await sink.listen(0);
    return sink;
  }

  /** When each login was tried (`performance.now()`). */
  readonly logins: number[] = [];

  /** Stops listening, and cuts connections. */
  async stop(): Promise<void> {
    this.stoppedAt = this.smtp.port;
    await this.smtp.close();
  }

  /** Listens again, at the same address. */
  async restart(): Promise<void> {
    await this.listen(this.stoppedAt);
  }

  /** Resets every connection: new ones get the current behaviour from the greeting on. */
  dropConnections(): void {
    this.smtp.dropConnections();
  }

  get port(): number {
    return this.smtp.port;
  }

  /** Changes its behaviour from now on. */
  behave(behaviour: Behaviour): void {
    this.behaviour = behaviour;
  }

  /** Makes every mail wait for the answer to this step. */
  hold(at: Step): Hold {
    let held = 0;
    let release: () => void = () => undefined;
    const released = new Promise<Act>((resolve) => {
      release = () => resolve('ok');
    });
    this.behave((step) => {
      if (step !== at) return 'ok';
      held += 1;
      return released;
    });
    return {
      get held() {
        return held;
      },
      release,
    };
  }

  /** How often this recipient was named. */
  timesAsked(to: string): number {
    return this.asked.get(to) ?? 0;
  }

  /** How often each mail, by its bundle id, arrived again. */
  repeats(): Map<string, number> {
    const repeats = new Map<string, number>();
    const seen = new Set<string>();
    for (const id of this.received) {
      if (seen.has(id)) repeats.set(id, (repeats.get(id) ?? 0) + 1);
      seen.add(id);
    }
    return repeats;
  }

  /** Waits until this many more have arrived. */
  async more(count: number, timeoutMs?: number): Promise<void> {
    const goal = this.received.length + count;
    await until(`${count} more mails`, () => this.received.length >= goal, timeoutMs);
  }

  close(): Promise<void> {
    return this.smtp.close();
  }

  private async listen(port: number): Promise<void> {
    this.smtp = await startScriptedSmtp({
      port,
      extensions: ['PIPELINING', 'AUTH PLAIN'],
      script: (step, where) => this.act(step, where),
    });
  }

  private async act(step: Step, where: Where): Promise<Act> {
    if (step === 'auth') this.logins.push(performance.now());
    if (step === 'rcpt' && where.to !== null) this.asked.set(where.to, this.timesAsked(where.to) + 1);
    // At the dot the current mail has just been added.
    const mail = step === 'dot' ? this.smtp.received.at(-1) : undefined;
    const act = await this.behaviour(step, where);
    const refused = typeof act === 'object' && /^[45]/.test(act.reply);
    if (mail !== undefined && !refused) this.received.push(mail.message_id.slice(1).split('@')[0] ?? '');
    return act;
  }
}
