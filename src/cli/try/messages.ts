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
    if (phone === null) return { skipped: 'pass --phone <number> to send one' };
    const began = performance.now();
    // Members write only to users.
    const { delivery } = await write(
      { writer: keyHolder },
      {
        channel: 'sms',
        to: phone,
        body: wordsOf(trial),
        send_now: true,
      },
    );
    return verdict(delivery, TEXT_MESSAGE, `sent to ${phone} in ${seconds(began)} s`);
  },
};

/** A push to the devices of the trial's user: it shows whether the channel is configured. */
export const push: Step = {
  name: 'push',
  async run(trial): Promise<Ending> {
    if (trial.user === null) return { skipped: 'an API key has no devices' };
    const message = {
      channel: 'push',
      user_ids: [trial.user.id],
      subject: 'Vigie: a push',
      body: wordsOf(trial),
      send_now: true,
    };
    const { delivery } = await write(trial, message);
    if (delivery.reason === 'no_address')
      return { skipped: 'configured; sent to nobody, because the trial has no device' };
    return verdict(delivery, PUSH, 'sent');
  },
};

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

async function write(
  { writer }: Pick<Trial, 'writer'>,
  message: object,
): Promise<{ id: string; delivery: Delivery }> {
  const answer = await writer.call<Message>('POST', 'notifications', message);
  const [notification] = answer.notifications;
  const [delivery] = notification?.deliveries ?? [];
  if (notification === undefined || delivery === undefined) {
    throw new Failure(
      'the message was accepted without a delivery',
      'This is a bug in Vigie: please report it.',
    );
  }
  return { id: notification.id, delivery };
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
