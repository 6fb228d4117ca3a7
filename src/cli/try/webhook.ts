import { type Ending, Failure, type Step } from './step.js';

/** The result of an endpoint's test. */
interface TestCall {
  delivered: boolean;
  status: number | null;
  duration_ms: number;
  error: string | null;
}

const ADVICE =
  'Check that this URL is public or in WEBHOOK_ALLOWED_NETWORKS, has a valid certificate, and answers a POST with a 2xx.';

/** A signed call to an endpoint, which exists only for the trial. */
export const webhook: Step = {
  name: 'webhook',
  async run({ webhook: url, keyHolder }): Promise<Ending> {
    if (url === null) return { skipped: 'pass --webhook <url> to call it', option: '--webhook' };
    const { id } = await keyHolder.call<{ id: string }>('POST', 'tenant/webhooks', {
      url,
      kinds: ['event'],
      description: 'vigie try',
    });
    try {
      const call = await keyHolder.call<TestCall>('POST', `tenant/webhooks/${id}/test`);
      if (!call.delivered) throw new Failure(call.error ?? `it answered ${call.status}`, ADVICE);
      return { ok: `${new URL(url).host} answered ${call.status} in ${call.duration_ms} ms` };
    } finally {
      await keyHolder.call('DELETE', `tenant/webhooks/${id}`);
    }
  },
};
