import { Api } from '../demo/api.js';
import { UsageError } from '../exit-codes.js';
import { connections } from './connections.js';
import { askHealth } from './health.js';
import { trigger } from './jobs.js';
import { socket } from './live.js';
import { create, push, sendNow, textMessage } from './messages.js';
import { TrialReport } from './report.js';
import { setStage, signIn, type Stage, TRIAL_TENANT } from './stage.js';
import { statistics } from './statistics.js';
import { type Ending, Failure, type Step, type Trial } from './step.js';
import { webhook } from './webhook.js';

export interface TryOptions {
  /** The server's URL, without a slash at the end. */
  url: string;
  operator: { email: string; password: string } | null;
  /** Takes precedence over the operator. */
  api_key: string | null;
  /** The recipient of the mails; null: the operator. */
  to: string | null;
  /** The recipient of a text message; null: none is sent. */
  phone: string | null;
  /** The e-mail address of a user of the API key's tenant, who gets a push; null: none is sent. */
  push: string | null;
  /** The URL of a webhook call; null: none is made. */
  webhook: string | null;
  /** Print one JSON object at the end instead of a line for each step. */
  json?: boolean;
}

const STEPS: readonly Step[] = [
  connections,
  create,
  sendNow,
  textMessage,
  push,
  webhook,
  trigger,
  statistics,
  socket,
];

/**
 * Tests an installation over REST and Socket.IO, as a client, and prints the result of each step.
 * @returns the exit code: 1 if a step failed.
 * @throws UsageError, before it sends anything, for a push without an API key.
 */
export async function runTry(
  options: TryOptions,
  print: (line: string) => void = console.log,
): Promise<number> {
  if (options.push !== null && options.api_key === null) {
    throw new UsageError(
      "--push needs --api-key (a key of that user's tenant), because the trial's own user has no device",
    );
  }
  const say = options.json === true ? () => undefined : print;
  const report = new TrialReport(say);
  say(`Testing ${options.url}\n`);
  const entry: { trial: Trial | null; stage: Stage | null } = { trial: null, stage: null };
  const lost =
    (await report.step('health', async () => ({
      ok: `live and ready, ${await askHealth(options.url)} ms`,
    }))) ||
    (await report.step('sign in', async (): Promise<Ending> => {
      entry.trial =
        options.api_key === null ? await asOperator(options, entry) : withKey(options, options.api_key);
      return {
        ok: entry.stage === null ? 'with the API key' : `as operator; the tenant ${TRIAL_TENANT} is ready`,
      };
    }));
  const { trial } = entry;
  for (const step of STEPS) {
    if (lost || trial === null) report.notTried(step.name);
    else await report.step(step.name, () => step.run(trial));
  }
  const { stage } = entry;
  if (stage !== null) {
    await report.step('tidy up', async () => {
      await stage.strike();
      return { ok: `deleted the user and the key, suspended ${TRIAL_TENANT}` };
    });
  }
  report.verdict();
  if (options.json === true)
    print(JSON.stringify({ url: options.url, ok: report.ok, steps: report.steps }, null, 2));
  return report.ok ? 0 : 1;
}

async function asOperator(options: TryOptions, entry: { stage: Stage | null }): Promise<Trial> {
  const { url, operator: login } = options;
  if (login === null) {
    throw new Failure(
      'no credentials to sign in with',
      'Set VIGIE_OPERATOR_EMAIL and VIGIE_OPERATOR_PASSWORD, or pass --api-key.',
    );
  }
  const anyone = new Api(url);
  const operator = await signIn(anyone, login.email, login.password);
  const to = options.to ?? login.email;
  entry.stage = await setStage(anyone, operator, to);
  const { user, keyHolder } = entry.stage;
  const writer = anyone.withToken(user.token);
  const { phone, push: pushTo, webhook: endpoint } = options;
  return {
    ...{ url, anyone, operator, writer, keyHolder, tenant: TRIAL_TENANT, user },
    ...{ to, phone, push: pushTo, webhook: endpoint, configured: null, notification_id: null },
  };
}

function withKey({ url, to, phone, push: pushTo, webhook: endpoint }: TryOptions, key: string): Trial {
  if (to === null) {
    throw new Failure('an API key has no e-mail address', 'Pass the recipient of the mails with --to.');
  }
  const anyone = new Api(url);
  const writer = anyone.withKey(key);
  return {
    ...{ url, anyone, operator: null, writer, keyHolder: writer, tenant: null, user: null },
    ...{ to, phone, push: pushTo, webhook: endpoint, configured: null, notification_id: null },
  };
}
