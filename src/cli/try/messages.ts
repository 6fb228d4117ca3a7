import { setTimeout as delay } from 'node:timers/promises';
import type { Api } from '../demo/api.js';
import { type Ending, Failure, type Step, type Trial } from './step.js';

interface Delivery {
  id: string;
  status: 'pending' | 'sent' | 'failed';
  state: string;
  error: string | null;
  reason: string | null;
  defer_reason: string | null;
}

interface Message {
  notifications: { id: string; deliveries: Delivery[] }[];
}

const SENT_WITHIN_MS = 30_000;
const POLL_INTERVAL_MS = 200;

/** A mail through database, dispatcher, queue, worker and mail server. */
export const create: Step = {
  name: 'create',
  async run(trial): Promise<Ending> {
    const began = performance.now();
    const { id, delivery } = await write(trial, mail(trial, false));
    trial.notification_id = id;
    const ended = await untilEnded(trial.writer, delivery);
    return verdict(ended, MAIL, `accepted, queued and sent to ${trial.to} in ${seconds(began)} s`);
  },
};

/** A mail in the request. */
export const sendNow: Step = {
  name: 'send now',
  async run(trial): Promise<Ending> {
    const began = performance.now();
    const { delivery } = await write(trial, mail(trial, true));
    return verdict(delivery, MAIL, `sent to ${trial.to} during the request, in ${seconds(began)} s`);
  },
};

/** A text message, if there is a number to send it to. */
export const textMessage: Step = {
  name: 'text message',
  async run(trial): Promise<Ending> {
    const { phone, keyHolder } = trial;
    if (phone === null) {
      return isMissing(trial, 'sms')
        ? { skipped: TEXT_MESSAGE.missing }
        : { skipped: 'pass --phone <number> to send one', option: '--phone' };
    }
    const began = performance.now();
    // Members write only to users.
    const message = { channel: 'sms', to: phone, body: wordsOf(trial), send_now: true };
    const { delivery } = await write({ writer: keyHolder }, message);
    return verdict(delivery, TEXT_MESSAGE, `sent to ${phone} in ${seconds(began)} s`);
  },
};

/** A push to the devices of a user of the key's tenant. The trial's own user has no device, so `runTry` requires a key. */
export const push: Step = {
  name: 'push',
  async run(trial): Promise<Ending> {
    const { push: email, writer } = trial;
    if (email === null) {
      return isMissing(trial, 'push')
        ? { skipped: PUSH.missing }
        : { skipped: 'pass --push <address of a user> with --api-key to send one', option: '--push' };
    }
    const began = performance.now();
    const user_ids = [await userWith(writer, email)];
    const message = {
      channel: 'push',
      user_ids,
      subject: 'Vigie: a push',
      body: wordsOf(trial),
      send_now: true,
    };
    const { delivery, deliveries } = await write(trial, message);
    if (delivery.reason === 'no_address') {
      throw new Failure(
        `${email} has no device`,
        'Turn on pushes on a device of this user: see docs/pushes.md.',
      );
    }
    // One sent push is enough: an old device of the user is not a fault of the installation.
    const sent = deliveries.filter(({ status }) => status === 'sent');
    const devices = deliveries.length === 1 ? 'device' : 'devices';
    return verdict(
      sent[0] ?? delivery,
      PUSH,
      `sent to ${sent.length} of ${deliveries.length} ${devices} of ${email} in ${seconds(began)} s`,
    );
  },
};

/** Whether this service is known not to be configured. */
function isMissing({ configured }: Trial, service: string): boolean {
  return configured?.has(service) === false;
}

/** @throws Failure if the tenant has no user with this address. */
async function userWith(reader: Api, email: string): Promise<string> {
  const { data } = await reader.call<{ data: { id: string; email: string }[] }>(
    'GET',
    `users?q=${encodeURIComponent(email)}`,
  );
  const user = data.find((each) => each.email.toLowerCase() === email.toLowerCase());
  if (user === undefined) {
    throw new Failure(
      `${email} is no user of the key's tenant`,
      'Check the address, and the tenant of the key.',
    );
  }
  return user.id;
}

/** How to speak of a channel's message, and what to check when it fails. */
interface Way {
  message: string;
  missing: string;
  advice: string;
  switch: string;
}

const MAIL: Way = {
  message: 'mail',
  missing: 'e-mail is not configured (SMTP_HOST is not set)',
  advice:
    'Check the SMTP settings, and that the mail server accepts mail from SMTP_FROM_EMAIL to this address.',
  switch: 'EMAIL_ENABLED',
};
const TEXT_MESSAGE: Way = {
  message: 'text message',
  missing: 'text messages are not configured (SMS_PROVIDER is none)',
  advice: 'Check the settings of SMS_PROVIDER, and that its account may send to this country.',
  switch: 'SMS_ENABLED',
};
const PUSH: Way = {
  message: 'push',
  missing: 'pushes are not configured (neither FCM_SERVICE_ACCOUNT_FILE nor VAPID_PUBLIC_KEY is set)',
  advice: 'Check the settings of pushes.',
  switch: 'PUSH_ENABLED',
};

const wordsOf = ({ url }: Trial) =>
  `"vigie try" sent this to try the installation at ${url}. No action is needed.`;

function mail(trial: Trial, send_now: boolean): object {
  const { user, to } = trial;
  return {
    channel: 'email',
    ...(user === null ? { to } : { user_ids: [user.id] }),
    subject: send_now ? 'Vigie: sent during the request' : 'Vigie: sent through the queue',
    body: wordsOf(trial),
    send_now,
  };
}

/** Creates a message to one recipient. @returns its first delivery, and all of them: a push has one for each device */
async function write(
  { writer }: Pick<Trial, 'writer'>,
  message: object,
): Promise<{ id: string; delivery: Delivery; deliveries: readonly Delivery[] }> {
  const answer = await writer.call<Message>('POST', 'notifications', message);
  const [notification] = answer.notifications;
  const [delivery] = notification?.deliveries ?? [];
  if (notification === undefined || delivery === undefined) {
    throw new Failure(
      'the message was accepted without a delivery',
      'This is a bug in Vigie: please report it.',
    );
  }
  return { id: notification.id, delivery, deliveries: notification.deliveries };
}

async function untilEnded(reader: Api, { id }: Delivery): Promise<Delivery> {
  const deadline = performance.now() + SENT_WITHIN_MS;
  for (;;) {
    const delivery = await reader.call<Delivery>('GET', `deliveries/${id}`);
    if (delivery.status !== 'pending' || delivery.error !== null) return delivery;
    if (performance.now() > deadline) return delivery;
    await delay(POLL_INTERVAL_MS);
  }
}

function verdict({ status, state, error, reason, defer_reason }: Delivery, way: Way, sent: string): Ending {
  if (status === 'sent') return { ok: sent };
  if (reason === 'channel_not_configured') return { skipped: way.missing };
  if (error !== null) throw new Failure(`the ${way.message} was not accepted: ${error}`, way.advice);
  if (defer_reason !== null) {
    throw new Failure(
      `the ${way.message} is deferred: ${defer_reason}`,
      'Check the hours and limits of the installation and the tenant.',
    );
  }
  if (status === 'failed') {
    throw new Failure(
      `the ${way.message} ended as ${state}: ${reason ?? 'no reason'}`,
      'See docs/lifecycles.md.',
    );
  }
  throw new Failure(
    `the ${way.message} is still ${state} after ${SENT_WITHIN_MS / 1_000} s`,
    `Is a process with the role scheduler running, and one with the role worker? Is the channel paused, or NOTIFICATIONS_ENABLED or ${way.switch} off?`,
  );
}

function seconds(began: number): string {
  return ((performance.now() - began) / 1_000).toFixed(1);
}
