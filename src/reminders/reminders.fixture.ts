import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import webPush from 'web-push';
import { Sessions } from '../auth/sessions/sessions.js';
import { Database } from '../platform/database/database.js';
import { type Cast, createCast, type Person } from '../../test/support/cast.js';
import { createWorld, mailEnvironment, type World } from '../../test/support/world.js';
import { Browser } from '../cli/demo/browser.js';
import { type CaughtMail, type MailCatcher, startMailCatcher } from '../cli/demo/mail-catcher.js';
import { CHANNELS, type Channel } from '../contracts/channels.js';
import { type LocalProvider, startProvider } from '../delivery/channels/provider.fixture.js';
import { StepwiseDelivery } from '../delivery/dispatch/bundling.fixture.js';
import type { FixedClock } from '../platform/clock/fixed-clock.js';

interface Arrived {
  mails: { to: string[]; subject: string }[];
  texts: { to: string; text: string }[];
  pushes: number;
}

/** An installation whose mails, text messages and pushes arrive where the test reads them. */
export class ReminderStage {
  private readonly seen = { mails: 0, texts: 0, pushes: 0 };

  private constructor(
    readonly world: World,
    readonly cast: Cast,
    private readonly smtp: MailCatcher,
    /** The push service of all browsers. */
    readonly pushService: LocalProvider,
    private readonly folder: string,
  ) {}

  static async open(clock: FixedClock): Promise<ReminderStage> {
    const smtp = await startMailCatcher();
    const pushService = await startProvider({ status: 201 });
    const folder = await mkdtemp(join(tmpdir(), 'vigie-reminders-'));
    const vapid = webPush.generateVAPIDKeys();
    const world = await createWorld({
      clock,
      env: {
        ...mailEnvironment(smtp),
        SMS_PROVIDER: 'console',
        SMS_SIMULATION_FILE: join(folder, 'sms.ndjson'),
        VAPID_PUBLIC_KEY: vapid.publicKey,
        VAPID_PRIVATE_KEY: vapid.privateKey,
        VAPID_SUBJECT: 'mailto:admin@vigie.example',
        WEB_PUSH_SERVICES: pushService.url,
      },
    });
    for (const channel of CHANNELS) {
      await world.sql(`INSERT INTO workers VALUES (gen_random_uuid(), $1, 50, now() + interval '99 years')`, [
        channel,
      ]);
    }
    return new ReminderStage(world, await createCast(world), smtp, pushService, folder);
  }

  async close(): Promise<void> {
    await this.world.close();
    await this.smtp.close();
    await this.pushService.close();
    await rm(this.folder, { recursive: true });
  }

  /** Calls the API as this person, with a new token: the test's clock outruns the old one. */
  async call(method: string, path: string, body?: unknown, who: Person = this.cast.admin) {
    const { access_token: token } = await this.world.app
      .get(Database)
      .tenant(who.tenant_id, (tx) => this.world.app.get(Sessions, { strict: false }).begin(tx, who));
    return this.world.http(method, `/api/v1/${path}`, { token, body });
  }

  /** Registers a browser of this person for pushes. */
  async addBrowser({ token }: Person): Promise<void> {
    const browser = new Browser(`${this.pushService.url}/push/${crypto.randomUUID()}`);
    const { status } = await this.world.http('POST', '/api/v1/me/devices', {
      token,
      body: { platform: 'web_push', subscription: browser.subscription },
    });
    if (status !== 201) throw new Error(`the device was refused: ${status}`);
  }

  /** Sends everything that may be sent now. @returns what has arrived since the last call */
  async arrived(): Promise<Arrived> {
    for (const channel of CHANNELS as readonly Channel[]) {
      await new StepwiseDelivery(this.world, channel).leave();
    }
    const mails = this.smtp.mails.slice(this.seen.mails);
    const texts = this.texts().slice(this.seen.texts);
    const pushes = this.pushService.received.length - this.seen.pushes;
    this.seen.mails += mails.length;
    this.seen.texts += texts.length;
    this.seen.pushes += pushes;
    return {
      mails: mails.map(({ to, subject }) => ({ to, subject })),
      texts: texts.map(({ to, text }) => ({ to, text })),
      pushes,
    };
  }

  /** The mail that arrived last. */
  lastMail(): CaughtMail {
    const mail = this.smtp.mails.at(-1);
    if (mail === undefined) throw new Error('no mail has arrived');
    return mail;
  }

  private texts(): { to: string; text: string }[] {
    const file = join(this.folder, 'sms.ndjson');
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line) as { to: string; text: string });
  }
}
