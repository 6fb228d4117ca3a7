import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import webPush from 'web-push';
import { until } from '../support/until.js';
import { Driver } from './driver.js';
import { PushLine, SmsLine, type Line } from './lines.js';
import { ProviderDesk, type ProviderFault } from './provider-desk.js';
import { AWS_SNS, FCM, TWILIO, WEB_PUSH } from './providers.js';
import type { RunOptions, Verdict } from './scenario.js';
import { onStage, type Stage } from './stage.js';

/** A fault of a provider, at the first attempt of a message. */
interface Fault {
  act: ProviderFault;
  /** What happened to the message is unknown: a text message is never repeated, a push once. */
  ambiguous?: boolean;
  /** Refused for good. */
  refused?: boolean;
}

const WAIT_SECONDS = 2;
const QUICK: Readonly<Record<string, Fault>> = {
  lost_answer: { act: 'lost_answer', ambiguous: true },
  cut_answer: { act: 'cut_answer', ambiguous: true },
  '429': { act: { status: 429, headers: { 'retry-after': String(WAIT_SECONDS) } } },
  '503': { act: { status: 503 } },
  '500': { act: { status: 500 }, ambiguous: true },
  '400': { act: { status: 400 }, refused: true },
};
/** These take the sender's time limit for an answer: 30 s, and for pushes once more. */
const SLOW: Readonly<Record<string, Fault>> = {
  silence: { act: 'silence', ambiguous: true },
  trickle: { act: 'trickle', ambiguous: true },
};
const CONNECTION_FAULTS = ['reset_at_accept', 'reset_in_body'] as const;

/** The providers of text messages and pushes fail as the mail server of F10 does. */
export async function failAtProviders(options: RunOptions): Promise<Verdict> {
  const dir = await mkdtemp(join(tmpdir(), 'vigie-faults-f10-'));
  const desks = await Promise.all([TWILIO, AWS_SNS, FCM, WEB_PUSH].map((each) => ProviderDesk.start(each)));
  try {
    const account = join(dir, 'account.json');
    const [twilio, sns, fcm, browsers] = desks as [ProviderDesk, ProviderDesk, ProviderDesk, ProviderDesk];
    await writeFile(account, JSON.stringify(serviceAccount(fcm.url)));
    const settings = { ...SETTINGS, ...settingsOf(twilio, sns, fcm, browsers, account) };
    return await onStage(settings, (stage) =>
      new Providers(stage, { twilio, sns, fcm, browsers }, options).run(),
    );
  } finally {
    await Promise.all(desks.map((desk) => desk.stop()));
    await rm(dir, { recursive: true, force: true });
  }
}

const SETTINGS = {
  RETRY_DELAY_SECONDS: '1',
  SMS_CONCURRENCY: '20',
  PUSH_CONCURRENCY: '20',
  CHANNEL_PROBE_SECONDS: '1',
  CHANNEL_PROBE_MAX_SECONDS: '2',
};

function settingsOf(
  twilio: ProviderDesk,
  sns: ProviderDesk,
  fcm: ProviderDesk,
  browsers: ProviderDesk,
  account: string,
): Record<string, string> {
  const { publicKey, privateKey } = webPush.generateVAPIDKeys();
  return {
    SMS_PROVIDER: 'twilio',
    TWILIO_ACCOUNT_SID: 'AC0123',
    TWILIO_AUTH_TOKEN: 'secret',
    TWILIO_FROM: '+33612345678',
    TWILIO_API_URL: twilio.url,
    AWS_REGION: 'eu-west-3',
    AWS_ACCESS_KEY_ID: 'AKIA0',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SNS_ENDPOINT: sns.url,
    FCM_SERVICE_ACCOUNT_FILE: account,
    FCM_API_URL: fcm.url,
    VAPID_PUBLIC_KEY: publicKey,
    VAPID_PRIVATE_KEY: privateKey,
    VAPID_SUBJECT: 'mailto:admin@vigie.example',
    WEB_PUSH_SERVICES: browsers.url,
  };
}

function serviceAccount(url: string): object {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  return {
    project_id: 'vigie-test',
    client_email: 'vigie@vigie-test.iam.example',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    private_key_id: 'key-1',
    token_uri: `${url}/token`,
  };
}

class Providers {
  private readonly faults: Readonly<Record<string, Fault>>;
  private readonly copies: number;

  constructor(
    private readonly stage: Stage,
    private readonly desks: Record<'twilio' | 'sns' | 'fcm' | 'browsers', ProviderDesk>,
    private readonly options: RunOptions,
  ) {
    this.faults = options.full ? { ...QUICK, ...SLOW } : QUICK;
    this.copies = options.full ? 5 : 1;
  }

  async run(): Promise<Verdict> {
    const { installation } = this.stage;
    const [web, worker] = await Promise.all([
      installation.startProcess('web'),
      installation.startProcess('worker', { SMS_PROVIDER: this.isSnsFirst ? 'aws_sns' : 'twilio' }),
      installation.startProcess('scheduler'),
    ]);
    const driver = await Driver.start(web.url);
    const { twilio, sns, fcm, browsers } = this.desks;
    const push = new PushLine(driver, installation, [fcm, browsers]);
    const sms = [new SmsLine(driver, twilio, 10), new SmsLine(driver, sns, 60)] as const;
    const [first, second] = this.isSnsFirst ? [sms[1], sms[0]] : sms;
    await Promise.all([this.suffer(first), this.suffer(push)]);
    if (!this.options.full) return this.judge([first, push]);
    await worker.stop();
    await installation.startProcess('worker', { SMS_PROVIDER: second.provider });
    await this.suffer(second);
    return this.judge([first, push, second]);
  }

  /** The quick form takes one of the two providers of text messages. */
  private get isSnsFirst(): boolean {
    return this.options.seed % 2 === 1;
  }

  private async suffer(line: Line): Promise<void> {
    await this.refuseConnections(line);
    await this.breakConnections(line);
    for (const desk of line.desks)
      desk.behave((address) => this.faults[faultOf(line.nameOf(desk, address))]?.act);
    // After a 429, only one probe at a time is sent, and a silent one would take 30 s: it has its own wave.
    for (const faults of this.options.full ? [QUICK, SLOW] : [QUICK]) {
      const names = Object.keys(faults).flatMap((fault) =>
        Array.from({ length: this.copies }, (_, copy) => `${fault}.${copy}`),
      );
      await line.send(names);
      await this.ended(line, names);
    }
  }

  /** No message is to blame: none uses an attempt, and each leaves once afterwards. */
  private async refuseConnections(line: Line): Promise<void> {
    const names = ['down.0', 'down.1', 'down.2'];
    await Promise.all(line.desks.map((desk) => desk.stop()));
    await line.send(names);
    await until(`${line.channel} to be down`, async () => {
      const [row] = await this.stage.installation.sql<{ down_cause: string | null }>(
        'SELECT down_cause FROM channels WHERE channel = $1',
        [line.channel],
      );
      return row?.down_cause === 'unreachable';
    });
    await Promise.all(line.desks.map((desk) => desk.restart()));
    await this.ended(line, names);
  }

  private async breakConnections(line: Line): Promise<void> {
    for (const desk of line.desks) desk.breakConnections(...CONNECTION_FAULTS);
    const names = CONNECTION_FAULTS.map((_, index) => `connection.${index}`);
    await line.send(names);
    await until('connections to break', () => line.desks.every((desk) => desk.unbroken === 0));
    await this.ended(line, names);
  }

  /** Waits for the outcome of these messages. */
  private async ended(line: Line, names: readonly string[]): Promise<void> {
    const addresses = line.addressesOf(names);
    await until(
      `${names.join(', ')} to end`,
      async () =>
        (await this.stage.installation.count(
          `SELECT count(*) FROM deliveries WHERE address = ANY ($1::text[])
           AND state NOT IN ('pending', 'queued', 'sending')`,
          [addresses],
        )) === addresses.length,
      this.options.full ? 180_000 : 60_000,
    );
  }

  private async judge(lines: readonly Line[]): Promise<Verdict> {
    const { stage, options } = this;
    let [accepted, lost, dup, dup_bound, repetitions] = [0, 0, 0, 0, 0];
    for (const line of lines) {
      for (const sent of line.sent) {
        const { desk, name, address, delivered_to } = sent;
        const rows = await stage.installation.sql<{ state: string; attempts: number }>(
          'SELECT state, attempts FROM deliveries WHERE address = $1',
          [delivered_to],
        );
        const times = desk.accepted.get(address) ?? 0;
        const [row] = rows;
        accepted += 1;
        repetitions += 1;
        if (row === undefined || rows.length > 1 || (row.state === 'sent' && times === 0)) lost += 1;
        dup += Math.max(0, times - 1);
        const ambiguous = this.faults[faultOf(name)]?.ambiguous === true;
        dup_bound += ambiguous && line.channel === 'push' ? 1 : 0;
        this.expectOutcome(line, sent, row ?? { state: 'missing', attempts: 0 });
      }
    }
    stage.expect(lost === 0, `${lost} lost`);
    stage.expect(dup <= dup_bound, `${dup} duplicates, at most ${dup_bound} are allowed`);
    return {
      ...{ id: 'F10', repetitions, accepted, lost, dup, dup_bound },
      ...{ seed: options.seed, ok: stage.broken.length === 0, broken: stage.broken },
    };
  }

  private expectOutcome(
    { channel, sent }: Line,
    { desk, name, address }: Line['sent'][number],
    { state, attempts }: { state: string; attempts: number },
  ): void {
    const { stage } = this;
    const fault = faultOf(name);
    const { ambiguous = false, refused = false } = this.faults[fault] ?? {};
    const about = `${desk.provider.name} ${name}`;
    const times = desk.accepted.get(address) ?? 0;
    const most = ambiguous && channel === 'push' ? 2 : 1;
    stage.expect(times <= most, `${about} was accepted ${times} times`);
    if (fault === 'connection') {
      // The system may report that no connection was made: then it is no attempt, and not ambiguous.
      const fine = channel === 'sms' ? ['sent', 'unknown'] : ['sent'];
      stage.expect(fine.includes(state), `${about} is ${state}`);
      return;
    }
    const right = refused ? 'failed' : ambiguous && channel === 'sms' ? 'unknown' : 'sent';
    stage.expect(state === right, `${about} is ${state} and not ${right}`);
    const free = fault === 'down' || (fault === '429' && desk.provider.limits_account);
    const tries = free || right !== 'sent' ? 1 : 2;
    stage.expect(attempts === tries, `${about} was tried ${attempts} times and not ${tries}`);
    const [first = 0, second = 0] = desk.asked.get(address) ?? [];
    if (fault !== '429' || !desk.provider.says_when) return;
    // The first 429 of an account holds all messages: those on their way at that moment are repeated with it.
    const limited = sent.filter((other) => other.desk === desk && faultOf(other.name) === '429');
    const since = desk.provider.limits_account
      ? Math.min(...limited.map((other) => desk.asked.get(other.address)?.[0] ?? first))
      : first;
    stage.expect(
      second - since >= WAIT_SECONDS * 1_000 - 50,
      `${about} was repeated after ${second - since} ms`,
    );
  }
}

const faultOf = (name: string): string => name.split('.')[0] ?? '';
