import { setTimeout as delay } from 'node:timers/promises';
import { listen } from '../demo/listener.js';
import { reasonOf } from './health.js';
import { type Ending, Failure, type Step, type Trial } from './step.js';

const WITHIN_MS = 20_000;
const ADVICE =
  'Does the proxy pass WebSockets on (Upgrade and Connection headers) for /socket.io? Does Redis answer every process?';

/** A badge that changes without a reload: the socket announces a notification that was marked read over REST. */
export const socket: Step = {
  name: 'socket',
  async run(trial): Promise<Ending> {
    const { user, notification_id: id } = trial;
    if (user === null) return { skipped: 'an API key has no feed of its own' };
    if (id === null) return { skipped: 'no notification was created' };
    return hearOf(trial, user.token, id);
  },
};

async function hearOf({ url, writer }: Trial, token: string, id: string): Promise<Ending> {
  const listener = await listen(url, token).catch((error: unknown) => {
    throw new Failure(`the socket was refused: ${reasonOf(error)}`, ADVICE);
  });
  try {
    const began = performance.now();
    await writer.call('PUT', `notifications/${id}/read`);
    while (!listener.updated.some((update) => update.id === id)) {
      if (performance.now() - began > WITHIN_MS) {
        throw new Failure(`the socket got no update within ${WITHIN_MS / 1_000} s`, ADVICE);
      }
      await delay(10);
    }
    const { unread_count } = await writer.call<{ unread_count: number }>('GET', 'notifications/unread-count');
    return { ok: `updated live in ${Math.round(performance.now() - began)} ms, ${unread_count} unread` };
  } finally {
    listener.close();
  }
}
