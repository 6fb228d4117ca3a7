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
    const { id, delivery } = await write(trial, false);
    trial.notification_id = id;
    const ended = await untilEnded(trial.writer, delivery);
    return verdict(ended, `accepted, queued and sent to ${trial.to} in ${seconds(began)} s`);
  },
};

/** A mail in the request. */
export const sendNow: Step = {
  name: 'send now',
  async run(trial): Promise<Ending> {
    const began = performance.now();
    const { delivery } = await write(trial, true);
    return verdict(delivery, `sent to ${trial.to} within the request, in ${seconds(began)} s`);
  },
};

async function write(
  { writer, user, to, url }: Trial,
  now: boolean,
): Promise<{ id: string; delivery: Delivery }> {
  const answer = await writer.call<Message>('POST', 'notifications', {
    channel: 'email',
    ...(user === null ? { to } : { user_ids: [user.id] }),
    subject: now ? 'Vigie: sent within the request' : 'Vigie: sent through the queue',
    body: `"vigie try" sent this to try the installation at ${url}. There is nothing to do.`,
    send_now: now,
  });
  const [notification] = answer.notifications;
  const [delivery] = notification?.deliveries ?? [];
  if (notification === undefined || delivery === undefined) {
    throw new Failure('it was accepted without a delivery', 'This is a fault of Vigie: please report it.');
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

function verdict({ status, state, error, reason, defer_reason }: Delivery, sent: string): Ending {
  if (status === 'sent') return { ok: sent };
  if (reason === 'channel_not_configured')
    return { skipped: 'e-mail is not configured (SMTP_HOST is not set)' };
  if (error !== null) {
    throw new Failure(
      `the mail was not taken: ${error}`,
      'Check the SMTP settings, and that the mail server lets the sender (SMTP_FROM_EMAIL) write to this address.',
    );
  }
  if (defer_reason !== null) {
    throw new Failure(
      `the mail waits: ${defer_reason}`,
      'Look at the hours and limits of the installation and tenant.',
    );
  }
  if (status === 'failed')
    throw new Failure(`the mail ended as ${state}: ${reason ?? 'no reason'}`, 'See docs/lifecycles.md.');
  throw new Failure(
    `the mail is still ${state} after ${SENT_WITHIN_MS / 1_000} s`,
    'Is a process with the role scheduler running, and one with the role worker? Is the channel paused, or NOTIFICATIONS_ENABLED or EMAIL_ENABLED off?',
  );
}

function seconds(began: number): string {
  return ((performance.now() - began) / 1_000).toFixed(1);
}
