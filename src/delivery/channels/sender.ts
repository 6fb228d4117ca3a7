import type { Channel } from '../../contracts/channels.js';
import type { Locale } from '../../contracts/locales.js';
import type { Severity } from '../../contracts/severities.js';

/** The kinds of failed attempts; the dispatcher's rules for each are in docs/lifecycles.md. */
export type SendFailure =
  /** The provider refused permanently (SMTP 5xx, unknown address): never retried. */
  | 'permanent'
  /** Nothing was accepted: retry later (SMTP 4xx, refused connection, a time-out before the message). */
  | 'retryable'
  /** The provider may have accepted it (silence after the whole message was written): repeated at most once. */
  | 'ambiguous'
  /** The channel is broken, not this message (connection, TLS, login, policy): does not count as an attempt. */
  | 'channel';

/** The faults of a channel. Stored with its state and shown to operators. */
export const CHANNEL_FAULTS = ['unreachable', 'tls', 'login', 'policy', 'quota', 'misconfigured'] as const;
export type ChannelFault = (typeof CHANNEL_FAULTS)[number];

/** The only error a sender throws. `message` is stored with the delivery and shown to people: no secrets in it. */
export class SendError extends Error {
  /** The fault of the channel; only with the failure 'channel'. */
  override readonly cause?: ChannelFault;

  constructor(
    readonly failure: SendFailure,
    message: string,
    /** The earliest retry, in ms from now, if the provider gave one. */
    readonly retry_after_ms?: number,
    cause?: ChannelFault,
    /**
     * The channel failed with this message in progress: the message itself may be the reason, until others fail too.
     */
    readonly with_message = false,
    /** The provider's own code (`550 5.1.1`), or the system's (`ECONNREFUSED`); for the log, without its text. */
    readonly code: string | null = null,
    /** The provider refuses this address for good: its owner has answered STOP, or it does not exist. */
    readonly address_stopped = false,
  ) {
    super(message);
    this.name = 'SendError';
    if (cause !== undefined) this.cause = cause;
  }
}

/** When a message is sent again. */
export interface ChannelRetries {
  /** The wait before each retry, in ms; after the last one the message has failed. */
  delays_ms: readonly number[];
  /** How often a send with an unknown outcome is repeated before a person has to decide. */
  ambiguous_repeats: number;
}

export const LEASE_LOST = 'lease lost before the message was sent';

/** Aborted when the lease is lost or the process stops waiting for it. */
export interface SendLease {
  /** Aborted when the lease is lost or the process shuts down. */
  readonly signal: AbortSignal;
  /** False after the lease has expired: a sender then starts no DATA and no POST. */
  isValid(): boolean;
}

/** What was sent. */
export interface SendReceipt {
  /** The provider's own id of the message, if it gives one. */
  provider_id: string | null;
  /** As shown to the recipient; null if the channel has none, or if it contains a secret. */
  subject: string | null;
  text: string | null;
  /** For text messages: how many the operator charges. */
  segments?: number;
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
  /** The user who wrote it; null for notifications of Vigie and of programs. */
  author_name: string | null;
  author_email: string | null;
}

/** A message that this process may send now: one notification, or several to the same person. */
export interface ClaimedMessage {
  tenant_id: string;
  /** Unique to this message, and the same on every attempt. */
  bundle_id: string;
  lease_token: string;
  channel: Channel;
  address: string;
  /** Attempts so far, including this one. */
  attempts: number;
  ambiguities: number;
  /** When the youngest of its items was first due. */
  due_since: Date;
  tenant_name: string;
  tenant_slug: string;
  time_zone: string;
  /** For `Wording.ownWords`: the tenant's own words. */
  wording_version: string | null;
  locale: Locale;
  /** W3C `traceparent` of what created its first item; null: not traced. */
  traceparent: string | null;
  /** The user; null for a bare address. */
  recipient_id: string | null;
  /** Null for a bare address. */
  recipient_name: string | null;
  /** At least one, oldest first. */
  items: readonly ClaimedItem[];
}

/** What the folder of a channel provides. */
export interface ChannelSender {
  /**
   * Renders the message for this channel, and sends it; starts no DATA and no POST without a valid lease.
   * @throws SendError for failures outside. Anything else is our bug: it is logged and retried.
   */
  send(message: ClaimedMessage, lease: SendLease): Promise<SendReceipt>;
  /**
   * The connection test: does everything except sending.
   * @throws SendError with plain words.
   */
  verify(): Promise<void>;
}

/** The senders of this process; an unconfigured channel has none. */
export type Senders = ReadonlyMap<Channel, ChannelSender>;
export const SENDERS = Symbol('SENDERS');
