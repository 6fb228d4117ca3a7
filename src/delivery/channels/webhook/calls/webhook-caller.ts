import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { Clock } from '../../../../platform/clock/clock.js';
import { VERSION } from '../../../../platform/version.js';
import type { CallableEndpoint } from '../endpoints/endpoint.js';
import { TargetError, type TargetGuard } from '../guard/target.js';
import { slackBody, standardBody, type WebhookNotification } from '../payload.js';
import { CallError, type CallFault } from './call-error.js';
import { type CallLimits, post, type Reply } from './post.js';

/** A call and its result: an answer, or why there was none. */
export interface Call {
  duration_ms: number;
  reply: Reply | null;
  error: CallError | null;
}

const FAULTS: Readonly<Record<TargetError['fault'], CallFault>> = {
  invalid: 'invalid_url',
  forbidden: 'forbidden_address',
  dns: 'dns',
};

/** Calls endpoints: builds and signs the request, checks where it leads, and sends it. */
export class WebhookCaller {
  /** @param ca certificate authorities, PEM; null: Node's */
  constructor(
    private readonly guard: TargetGuard,
    private readonly clock: Clock,
    private readonly limits: CallLimits,
    private readonly ca: readonly string[] | null,
  ) {}

  /**
   * One attempt; never rejects.
   * @param id the same on every attempt, so that receivers can deduplicate
   */
  async call(
    endpoint: CallableEndpoint,
    id: string,
    notification: WebhookNotification,
    signal: AbortSignal,
  ): Promise<Call> {
    const began = performance.now();
    const ended = (reply: Reply | null, error: CallError | null): Call => ({
      duration_ms: Math.round(performance.now() - began),
      reply,
      error,
    });
    try {
      const target = await this.guard.resolveTarget(endpoint.url);
      const body = endpoint.format === 'slack' ? slackBody(notification) : standardBody(notification);
      const headers = {
        'content-type': 'application/json',
        'user-agent': `Vigie/${VERSION}`,
        ...(endpoint.format === 'standard' ? this.signed(endpoint, id, body) : {}),
      };
      return ended(await post(target, headers, body, { limits: this.limits, ca: this.ca, signal }), null);
    } catch (error) {
      if (error instanceof CallError) return ended(null, error);
      if (error instanceof TargetError)
        return ended(null, new CallError(FAULTS[error.fault], error.message, false));
      throw error;
    }
  }

  /** Standard Webhooks: one signature per valid secret. The timestamp is the attempt's. */
  private signed(
    { secrets }: Pick<CallableEndpoint, 'secrets'>,
    id: string,
    body: string,
  ): Record<string, string> {
    const now = this.clock.now();
    return {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
      'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, now, body)).join(' '),
    };
  }
}

/** Standard Webhooks: `whsec_` and the base64 of 24 to 64 random bytes. */
export function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}
