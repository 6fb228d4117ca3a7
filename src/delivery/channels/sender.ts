import type { Channel } from '../../contracts/channels.js';
import type { Locale } from '../../contracts/locales.js';
import type { Severity } from '../../contracts/severities.js';

/** What became of an attempt that failed; the dispatcher's rules for each are in docs/lifecycles.md. */
export type SendFailure =
  /** The provider refused for good (SMTP 5xx, unknown address): never tried again. */
  | 'permanent'
  /** Nothing was accepted: try again later (SMTP 4xx, refused connection, a time-out before the message). */
  | 'retryable'
  /** The provider may have accepted it (silence after the whole message was written): repeated at most once. */
  | 'ambiguous';

/** The one error a sender throws. `message` is kept with the delivery and shown to people: no secrets in it. */
export class SendError extends Error {
  constructor(
    readonly failure: SendFailure,
    message: string,
    /** Not before this many ms from now, where the provider said so. */
    readonly retry_after_ms?: number,
  ) {
    super(message);
    this.name = 'SendError';
  }
}

/** The right to send one delivery, for as long as its lease lasts (monotonic clock). */
export interface SendLease {
  /** Aborted when the lease is lost or the process stops waiting. */
  readonly signal: AbortSignal;
  /** False once the lease has passed: a sender then begins no DATA and no POST. */
  isValid(): boolean;
}

/** A provider's receipt: its own id of the message, where it gives one. */
export interface SendReceipt {
  provider_id: string | null;
}

/** A delivery that this process may send now, with what there is to say. */
export interface ClaimedDelivery {
  tenant_id: string;
  id: string;
  lease_token: string;
  channel: Channel;
  address: string;
  attempts: number;
  ambiguities: number;
  kind: string;
  severity: Severity;
  data: Record<string, unknown>;
  audience: string;
  /** Who wrote it, where a person did. */
  author_name: string | null;
  created_at: Date;
  tenant_name: string;
  tenant_slug: string;
  time_zone: string;
  recipient_name: string | null;
  locale: Locale;
}

/** The way out on one channel: what the folder of a channel provides. */
export interface ChannelSender {
  /**
   * Words the delivery as this channel does, and sends it; begins no DATA and no POST without a valid lease.
   * @throws SendError for what the outside did. Anything else is a fault of ours, and permanent.
   */
  send(delivery: ClaimedDelivery, lease: SendLease): Promise<SendReceipt>;
  /**
   * The connection test: goes as far as it can without sending.
   * @throws SendError with plain words.
   */
  verify(): Promise<void>;
}

/** The senders of this process; a channel that is not configured has none. */
export type Senders = ReadonlyMap<Channel, ChannelSender>;
export const SENDERS = Symbol('SENDERS');
