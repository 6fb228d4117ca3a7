import webPush from 'web-push';
import type { WebPushContent } from '../../../contracts/web-push.js';
import type { Clock } from '../../../platform/clock/clock.js';
import { exchange, type ProviderAnswer, retryAfter } from '../request.js';
import { SendError, type SendFailure, type SendLease } from '../sender.js';
import { isService, type Subscription } from './device-token.js';
import type { OutgoingPush, PushService } from './push-service.js';

interface Browser {
  platform: 'web_push';
  subscription: Subscription;
}

/** The application server's identity (RFC 8292). */
export interface Vapid {
  public_key: string;
  private_key: string;
  /** `mailto:` or `https:`: whom a push service may contact. */
  subject: string;
}

/** A push service keeps it for this long, in s, while the browser is closed. */
const TTL_SECONDS = 24 * 3_600;

/** Browsers, by Web Push (RFC 8030, encrypted by RFC 8291). */
export class WebPush implements PushService<Browser> {
  constructor(
    private readonly vapid: Vapid,
    private readonly services: readonly string[],
    private readonly clock: Clock,
  ) {}

  async send(push: OutgoingPush, { subscription }: Browser, lease: SendLease): Promise<string | null> {
    // The setting may have become narrower since the device was registered.
    if (!isService(subscription.endpoint, this.services))
      throw new SendError('permanent', 'Web Push: the push service is not in WEB_PUSH_SERVICES');
    const { endpoint, method, headers, body } = this.encrypted(push, subscription);
    const answer = await ofOneService(() =>
      exchange({ method, url: new URL(endpoint), headers, body }, lease),
    );
    if (answer.status < 200 || answer.status > 299) throw this.refused(answer);
    return answer.headers.location?.slice(0, 200) ?? null;
  }

  /** There is no server to log in to: each browser has its own. The keys were checked at the start. */
  async verify(): Promise<void> {
    return Promise.resolve();
  }

  private encrypted({ id, title, body, data, urgent }: OutgoingPush, subscription: Subscription) {
    const { public_key, private_key, subject } = this.vapid;
    const content: WebPushContent = { id, title, body, data };
    const details = webPush.generateRequestDetails(subscription, JSON.stringify(content), {
      vapidDetails: { publicKey: public_key, privateKey: private_key, subject },
      TTL: TTL_SECONDS,
      urgency: urgent ? 'high' : 'normal',
      // A repeated push replaces the first one, while the browser is closed. At most 32 characters of base64url.
      topic: id.replaceAll('-', ''),
      contentEncoding: 'aes128gcm',
    });
    const headers = Object.fromEntries(
      Object.entries(details.headers).map(([name, value]) => [name.toLowerCase(), value]),
    );
    return { ...details, method: 'POST' as const, headers, body: details.body };
  }

  private refused({ status, headers, body }: ProviderAnswer): SendError {
    const { failure, address_stopped = false } = verdictOf(status);
    const words = body.replace(/\s+/g, ' ').trim().slice(0, 200);
    const wait = retryAfter(headers['retry-after'], this.clock.now().getTime());
    const message = `Web Push: HTTP ${status}${words === '' ? '' : ` (${words})`}`;
    return new SendError(failure, message, wait, undefined, false, String(status), address_stopped);
  }
}

/** A push service that does not answer is one of several: the channel is down only if others fail too. */
async function ofOneService<Answer>(asking: () => Promise<Answer>): Promise<Answer> {
  try {
    return await asking();
  } catch (error) {
    if (!(error instanceof SendError) || error.failure !== 'channel') throw error;
    throw new SendError('channel', error.message, undefined, error.cause, true, error.code);
  }
}

/** RFC 8030 §5 to §7.3; 401 and 403: the subscription was made with another key. */
function verdictOf(status: number): { failure: SendFailure; address_stopped?: boolean } {
  if (status === 404 || status === 410) return { failure: 'permanent', address_stopped: true };
  if (status === 429 || status === 503) return { failure: 'retryable' };
  return { failure: status >= 500 ? 'ambiguous' : 'permanent' };
}
