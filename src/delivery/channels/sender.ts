import type { Channel } from '../../contracts/channels.js';
import type { Locale } from '../../contracts/locales.js';
import type { Severity } from '../../contracts/severities.js';

/** The kinds of failed attempts; the dispatcher's rules for each are in docs/lifecycles.md. */
export type SendFailure =
  /** The provider refused for good (SMTP 5xx, unknown address): never tried again. */
  | 'permanent'
  /** Nothing was accepted: try again later (SMTP 4xx, refused connection, a time-out before the message). */
  | 'retryable'
  /** The provider may have accepted it (silence after the whole message was written): repeated at most once. */
  | 'ambiguous'
  /** The channel is broken, not this message (connection, TLS, login, policy): uses up no attempt. */
  | 'channel';

/** What is wrong with a channel. Stored with its state and shown to operators. */
export const CHANNEL_FAULTS = ['unreachable', 'tls', 'login', 'policy', 'quota', 'misconfigured'] as const;
export type ChannelFault = (typeof CHANNEL_FAULTS)[number];

/** The one error a sender throws. `message` is kept with the delivery and shown to people: no secrets in it. */
export class SendError extends Error {
  /** What is wrong with the channel; only with the failure 'channel'. */
  override readonly cause?: ChannelFault;

  constructor(
    readonly failure: SendFailure,
    message: string,
    /** Not before this many ms from now, where the provider said so. */
    readonly retry_after_ms?: number,
    cause?: ChannelFault,
    /** The channel failed while it had this message: the message itself may be the reason, until others fail too. */
    readonly with_message = false,
    /** The provider's own code (`550 5.1.1`), or the system's (`ECONNREFUSED`); for the log, without its words. */
    readonly code: string | null = null,
  ) {
    super(message);
    this.name = 'SendError';
    if (cause !== undefined) this.cause = cause;
  }
}

/** The right to send one message, for as long as its lease lasts (monotonic clock). */
export interface SendLease {
  /** Aborted when the lease is lost or the process stops waiting. */
  readonly signal: AbortSignal;
  /** False once the lease has passed: a sender then begins no DATA and no POST. */
  isValid(): boolean;
}

/** What was sent. */
export interface SendReceipt {
  /** The provider's own id of the message, where it gives one. */
  provider_id: string | null;
  /** As the recipient sees them; null where the channel has none, or where it holds a secret. */
  subject: string | null;
  text: string | null;
}

/** One notification in a message. */
export interface ClaimedItem {
  /** The notification's id. */
  id: string;
  delivery_id: string;
  notification_id: string;
  alert_id: string | null;
  kind: string;
  severity: Severity;
  data: Record<string, unknown>;
  created_at: Date;
  /** Why this person is notified: `responsible`, `unassigned`, `alert_recipient`, `addressed` or `self`. */
  audience: string;
  /** The user who wrote it; null for Vigie's and programs' notifications. */
  author_name: string | null;
  author_email: string | null;
}

/** A message that this process may send now: one notification, or several to the same person. */
export interface ClaimedMessage {
  tenant_id: string;
  /** The same at every attempt, and of this message alone. */
  bundle_id: string;
  lease_token: string;
  channel: Channel;
  address: string;
  /** Attempts so far, this one included. */
  attempts: number;
  ambiguities: number;
  /** When the youngest of its items was first due. */
  due_since: Date;
  tenant_name: string;
  tenant_slug: string;
  time_zone: string;
  locale: Locale;
  /** Null for a bare address. */
  recipient_name: string | null;
  /** At least one, oldest first. */
  items: readonly ClaimedItem[];
}

/** What the folder of a channel provides. */
export interface ChannelSender {
  /**
   * Renders the message for this channel, and sends it; begins no DATA and no POST without a valid lease.
   * @throws SendError for what the outside did. Anything else is a fault of ours: logged, and tried again.
   */
  send(message: ClaimedMessage, lease: SendLease): Promise<SendReceipt>;
  /**
   * The connection test: goes as far as it can without sending.
   * @throws SendError with plain words.
   */
  verify(): Promise<void>;
}

/** The senders of this process; a channel that is not configured has none. */
export type Senders = ReadonlyMap<Channel, ChannelSender>;
export const SENDERS = Symbol('SENDERS');
