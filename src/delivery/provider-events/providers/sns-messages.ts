import { type KeyObject, verify, X509Certificate } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { Problem } from '../../../platform/errors/problem.js';
import { parseUrl } from '../../../platform/text/url.js';
import { exchange } from '../../channels/request.js';
import { SendError } from '../../channels/sender.js';
import { type Fields, textOf } from '../fields.js';
import { ForgedEvent } from '../provider-event.js';
import { requireSignature } from '../signatures.js';

/** Only Amazon answers there. China's regions have another domain. */
const SNS_HOST = /^sns\.[a-z0-9-]{3,32}\.amazonaws\.com(?:\.cn)?$/;
const TIMEOUTS = { connect_ms: 5_000, total_ms: 10_000 };
const MAX_KEYS = 20;
/** A certificate is read again after a day. */
const KEY_AGE_MS = 24 * 60 * 60_000;

const OF_NOTIFICATION = ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'];
const OF_CONFIRMATION = ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'];

/**
 * The envelope of Amazon SNS: its signature, with the key of a certificate that SNS serves, and the confirmation of a
 * subscription. https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
 */
export class SnsMessages {
  private readonly keys = new LRUCache<string, KeyObject>({ max: MAX_KEYS, ttl: KEY_AGE_MS });

  /** @param base_url instead of the region's address; null: that one */
  constructor(private readonly base_url: string | null) {}

  /**
   * @throws ForgedEvent if SNS has not signed it; Problem unavailable if its certificate cannot be read now.
   */
  async verify(message: Fields): Promise<void> {
    const key = await this.keyAt(this.trusted(message.SigningCertURL, /^\/[\w.-]{1,200}\.pem$/));
    const names = message.Type === 'Notification' ? OF_NOTIFICATION : OF_CONFIRMATION;
    const signed = names.flatMap((name) => {
      const value = message[name];
      return typeof value === 'string' ? `${name}\n${value}\n` : [];
    });
    const algorithm = message.SignatureVersion === '2' ? 'sha256' : 'sha1';
    const signature = Buffer.from(textOf(message.Signature) ?? '', 'base64');
    requireSignature(verify(algorithm, Buffer.from(signed.join('')), key, signature));
  }

  /**
   * Confirms the subscription of a verified message.
   * @throws ForgedEvent if its URL is not of SNS; Problem unavailable: SNS asks again.
   */
  async confirm(message: Fields): Promise<void> {
    const url = this.trusted(message.SubscribeURL, /^\/?$/);
    if (url.searchParams.get('Action') !== 'ConfirmSubscription') throw new ForgedEvent('origin');
    await this.get(url);
  }

  /** @throws ForgedEvent for any other URL: otherwise a sender could choose what this server fetches. */
  private trusted(value: unknown, path: RegExp): URL {
    const url = typeof value === 'string' ? parseUrl(value) : null;
    const isTrusted =
      url !== null &&
      url.protocol === 'https:' &&
      SNS_HOST.test(url.hostname) &&
      url.port === '' &&
      url.username === '' &&
      url.password === '' &&
      path.test(url.pathname);
    if (!isTrusted) throw new ForgedEvent('origin');
    return url;
  }

  private async keyAt(url: URL): Promise<KeyObject> {
    const known = this.keys.get(url.href);
    if (known !== undefined) return known;
    const pem = await this.get(url);
    let key: KeyObject;
    try {
      key = new X509Certificate(pem).publicKey;
    } catch {
      throw unavailable(`${url.host} sent no certificate`);
    }
    this.keys.set(url.href, key);
    return key;
  }

  private async get(url: URL): Promise<string> {
    const target = this.base_url === null ? url : new URL(this.base_url + url.pathname + url.search);
    try {
      const { status, body } = await exchange(
        { method: 'GET', url: target, headers: { accept: '*/*' }, body: '' },
        null,
        TIMEOUTS,
      );
      if (status === 200) return body;
      throw unavailable(`${url.host} answered ${status}`);
    } catch (error) {
      if (error instanceof SendError) throw unavailable(error.message);
      throw error;
    }
  }
}

function unavailable(detail: string): Problem {
  return new Problem('unavailable', detail);
}
