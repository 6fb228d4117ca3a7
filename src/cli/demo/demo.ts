import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { freePort } from '../../platform/embedded/ports.js';
import { Api } from './api.js';
import { type BackupFolders, makeBackupFolders } from './backup-folders.js';
import { channelSettings, showChannels, simulationFile } from './channels.js';
import { type DemoFolder, takeDemoFolder } from './demo-folder.js';
import { listen, type Listener } from './listener.js';
import { type MailCatcher, startMailCatcher } from './mail-catcher.js';
import { playNight } from './night.js';
import { type PushCatcher, startPushCatcher } from './push-catcher.js';
import { Report } from './report.js';
import { SAMPLE_MONTHS } from './sample-data.js';
import { NIGHT_TENANT } from './sample-night.js';
import { type DemoServer, startServer } from './server.js';
import { createTenant, type DemoMonth, type DemoTenant, loadMonth, type RunAnswer } from './tenant.js';
import { enterTicket, showReminder } from './ticket.js';
import { until } from './until.js';
import { startWebhookCatcher, type WebhookCatcher } from './webhook-catcher.js';

const OPERATOR = {
  email: 'operator@vigie.example',
  password: `demo-${randomBytes(9).toString('base64url')}`,
};
const READY_WITHIN_MS = 90_000;
const MAILS_WITHIN_MS = 60_000;

/** The default port, without PORT. */
const USUAL_PORT = 3_000;

export interface DemoOptions {
  /** Exit when the demonstration is over. */
  exit: boolean;
  /** Print the result as one JSON object on standard output, and all else on standard error. */
  json: boolean;
  data_dir: string;
  /** The port in the environment; null: 3000, or another free one. */
  port: number | null;
  /** A running Redis; null: start one. */
  redis_url: string | null;
}

/**
 * Runs all of Vigie on this machine, and uses only its public interfaces: REST, a socket, the mails.
 * @returns the exit code: 0 if everything expected has arrived.
 * @throws Error if the folder is not the demo's or in use, or the port is in use.
 */
export async function runDemo(options: DemoOptions): Promise<number> {
  const folder = await takeDemoFolder(resolve(options.data_dir));
  try {
    return await runIn(folder, options);
  } finally {
    await folder.release();
  }
}

async function runIn(folder: DemoFolder, options: DemoOptions): Promise<number> {
  const report = new Report(options.json ? console.error : console.log);
  const port = await freePort(options.port ?? USUAL_PORT);
  if (options.port !== null && options.port !== 0 && port !== options.port) {
    throw new Error(
      `port ${options.port} is in use by another program: set PORT to another port, or unset it`,
    );
  }
  await folder.recordPort(port);
  report.step('Starting PostgreSQL, Redis, Vigie and a local mail catcher');
  const folders = await makeBackupFolders(folder.path);
  const caught = join(folder.path, 'caught-mails');
  const catcher = await startMailCatcher({ port: await freePort(2525), folder: caught });
  const pushes = await startPushCatcher();
  const webhooks = await startWebhookCatcher();
  const server = startServer(folder.path, port, {
    ...(options.redis_url === null ? {} : { REDIS_URL: options.redis_url, REDIS_PREFIX: 'vigie-demo' }),
    SMTP_HOST: '127.0.0.1',
    SMTP_PORT: String(catcher.port),
    SMTP_TLS: 'false',
    SMTP_FROM_EMAIL: 'vigie@demo.example',
    CAUGHT_MAILS_DIR: caught,
    ...channelSettings(folder.path, pushes),
    BACKUP_INBOX_DIR: folders.inbox,
    BACKUP_STORE_DIR: folders.store,
    VIGIE_OPERATOR_EMAIL: OPERATOR.email,
    VIGIE_OPERATOR_PASSWORD: OPERATOR.password,
  });
  const interrupted = new Promise<'interrupted'>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done('interrupted'));
  });
  try {
    const played = await Promise.race([
      play({ server, catcher, pushes, webhooks, folders, report, folder: folder.path }),
      interrupted,
      died(server),
    ]);
    if (played === 'interrupted') return 130;
    report.verdict();
    if (options.json) console.log(JSON.stringify(resultOf(report, server, played)));
    if (!options.exit) {
      report.accessList(server, catcher, folders, simulationFile(folder.path), played, OPERATOR);
      await Promise.race([interrupted, died(server)]);
    }
    return report.ok ? 0 : 1;
  } catch (error) {
    report.failed(error, server.log_file);
    return 1;
  } finally {
    await server.stop();
    await catcher.close();
    await pushes.close();
    await webhooks.close();
  }
}

/** What a program needs to go on with the demo. The passwords are those of the demo's own people. */
function resultOf(report: Report, server: DemoServer, tenants: readonly DemoTenant[]): object {
  const users = tenants.flatMap(({ sample, users }) =>
    users.map(({ email, password }) => ({ tenant: sample.slug, email, password })),
  );
  return { ...report.summary, url: server.url, log_file: server.log_file, operator: OPERATOR, users };
}

async function died(server: DemoServer): Promise<never> {
  const code = await server.ended;
  throw new Error(`the server exited with ${code ?? 'a signal'}; its log is ${server.log_file}`);
}

/** What the demonstration runs on. */
interface Stage {
  server: DemoServer;
  catcher: MailCatcher;
  pushes: PushCatcher;
  webhooks: WebhookCatcher;
  folders: BackupFolders;
  report: Report;
  /** Path of the demo's folder. */
  folder: string;
}

async function play(stage: Stage): Promise<DemoTenant[]> {
  const { server, catcher, folders, report } = stage;
  const anyone = new Api(server.url);
  await until('the server to be ready', () => anyone.isReady(), READY_WITHIN_MS);
  report.done(`${server.url} is ready`);

  report.step('Loading two tenants with a month of deadlines, documents and tasks, and one with backups');
  const { access_token } = await anyone.call<{ access_token: string }>('POST', 'auth/login', OPERATOR);
  const operator = anyone.withToken(access_token);
  const months: DemoMonth[] = [];
  for (const sample of SAMPLE_MONTHS) {
    const month = await loadMonth(await createTenant(anyone, operator, catcher, sample), sample);
    months.push(month);
    report.done(
      `${sample.name} (${sample.time_zone}): ${month.tenant.users.length} users, ` +
        `${month.deadlines} deadlines, ${month.documents} documents, ${month.tasks} tasks`,
    );
  }
  const company = await createTenant(anyone, operator, catcher, NIGHT_TENANT);
  report.done(`${NIGHT_TENANT.name} (${NIGHT_TENANT.time_zone}): ${company.users.length} user`);
  const tenants = [...months.map(({ tenant }) => tenant), company];
  const users = tenants.flatMap((tenant) => tenant.users);
  report.expect('welcome mails, each with a one-time link that set a password', catcher.count, users.length);

  const listeners = new Map<DemoTenant, Listener[]>();
  for (const tenant of tenants)
    listeners.set(tenant, await Promise.all(tenant.users.map(({ token }) => listen(server.url, token))));
  const of = (tenant: DemoTenant) => listeners.get(tenant) ?? [];
  try {
    const [first] = months;
    if (first === undefined) throw new Error('the demo has no tenant with dates to watch');
    const ticket = await enterTicket(first.tenant);
    const others = months.flatMap(({ tenant }) => of(tenant));
    await check(months, catcher, others, report);
    const [listener] = of(company);
    if (listener === undefined) throw new Error(`no socket is connected for ${NIGHT_TENANT.name}`);
    await playNight({ anyone, operator, tenant: company, listener, folders, catcher, report });
    await showChannels(first.tenant, stage);
    await showReminder(ticket, stage);
  } finally {
    for (const listener of [...listeners.values()].flat()) listener.close();
  }
  return tenants;
}

async function check(
  months: readonly DemoMonth[],
  catcher: MailCatcher,
  listeners: readonly Listener[],
  report: Report,
): Promise<void> {
  const before = catcher.count;
  for (const round of ['first', 'second'] as const) {
    report.step(`Running today's check, the ${round} time`);
    for (const { tenant, expected } of months) {
      const { counts } = await trigger(tenant, 'check-notifications');
      report.counts(tenant.sample.name, counts);
      if (round === 'first') report.expect(`${tenant.sample.name}: facts found`, counts.facts, expected);
      else {
        report.expect(`${tenant.sample.name}: alerts opened by the second run`, counts.opened, 0);
        report.expect(`${tenant.sample.name}: facts already notified`, counts.repeated, expected);
      }
    }
  }

  report.step('Sending the weekly summary');
  let summaries = 0;
  for (const { tenant } of months) {
    const { counts } = await trigger(tenant, 'weekly-summary');
    report.counts(tenant.sample.name, counts);
    summaries += counts.notifications ?? 0;
  }

  const alerts = months.reduce((sum, { expected }) => sum + expected, 0);
  const notifications = alerts + summaries;
  report.step('Waiting for the notifications');
  const sent = await sentDeliveries(months, notifications);
  report.expect('notifications sent by mail', sent.length, notifications);
  // Notifications that are due together for one person leave as one mail.
  const messages = new Set(sent.map(({ bundle_id }) => bundle_id)).size;
  const mails = await catcher.waitFor(before + messages, MAILS_WITHIN_MS).catch(() => catcher.mails);
  const arrived = mails.slice(before);
  report.mails(arrived);
  report.expect('mails that carried them, as received by the mail catcher', arrived.length, messages);
  report.expect('distinct mails', new Set(arrived.map((mail) => mail.message_id)).size, messages);

  const live = () => listeners.reduce((sum, { created }) => sum + created.length, 0);
  await until('the live notifications', () => live() >= notifications, 20_000).catch(() => undefined);
  report.live(listeners);
  report.expect('notifications received live over sockets', live(), notifications);
  const users = months.flatMap(({ tenant }) => tenant.users);
  for (const [position, user] of users.entries()) {
    const { unread_count } = await user.api.call<{ unread_count: number }>(
      'GET',
      'notifications/unread-count',
    );
    report.expect(
      `unread count of ${user.email}, over REST and socket`,
      listeners[position]?.unread,
      unread_count,
    );
  }
}

async function trigger(tenant: DemoTenant, job: string): Promise<RunAnswer> {
  return tenant.admin.api.call<RunAnswer>('POST', `admin/scheduler/${job}/trigger?wait=true`);
}

/** A delivery in its recipient's list. */
interface SentDelivery {
  kind: string;
  bundle_id: string;
}

/** Waits for all mails to the people of these tenants, without their welcome mails. */
async function sentDeliveries(months: readonly DemoMonth[], expected: number): Promise<SentDelivery[]> {
  const users = months.flatMap(({ tenant }) => tenant.users);
  let sent: SentDelivery[] = [];
  const read = async () => {
    const pages = await Promise.all(
      users.map(({ api }) => api.call<{ data: SentDelivery[] }>('GET', 'deliveries?status=sent&limit=100')),
    );
    sent = pages.flatMap(({ data }) => data).filter(({ kind }) => kind !== 'welcome');
    return sent.length >= expected;
  };
  await until('everything to be sent', read, MAILS_WITHIN_MS).catch(() => undefined);
  return sent;
}
