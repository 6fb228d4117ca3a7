/** The providers whose events are accepted. Literal strings, because URLs and rows contain them. */
export const EVENT_PROVIDERS = ['ses', 'postmark', 'mailgun', 'sendgrid', 'twilio', 'generic'] as const;
export type EventProviderName = (typeof EVENT_PROVIDERS)[number];

/** Stored with the event. `stopped` and `started`: the recipient has unsubscribed, or subscribed again. */
export const PROVIDER_EVENTS = [
  'delivered',
  'bounced',
  'complained',
  'stopped',
  'started',
  'failed',
] as const;
export type ProviderEventName = (typeof PROVIDER_EVENTS)[number];

/** `hard`: the address does not work and will not. `soft`: this message did not arrive, the next one may. */
export type Bounce = 'hard' | 'soft';

/** One event in the terms of all providers. */
export interface ProviderEvent {
  /** Identifies it among the provider's events, however often it is sent: at most 200 characters. */
  key: string;
  name: ProviderEventName;
  /** Only with `bounced`. */
  bounce: Bounce | null;
  channel: 'email' | 'sms';
  /** Our own id of the message (`bundle_id`), if the provider returns it. */
  message_id: string | null;
  /** The provider's id of the message. */
  provider_id: string | null;
  /** The recipient, in lower case. An event without any message id is matched by it alone. */
  address: string | null;
  /** The provider's words. */
  detail: string | null;
  /** When it happened; null if the provider does not say. */
  at: Date | null;
}

/** A request to `/hooks/…`, as received. */
export interface HookRequest {
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** With its `?`, or empty. */
  query: string;
  body: Buffer;
}

/** What a verified request reports. */
export interface ProviderReport {
  /** Identifies the request, if its signature must count only once. */
  request_key: string | null;
  events: readonly ProviderEvent[];
  /** Events that change nothing here, such as an opened mail. */
  ignored: number;
}

/** One company, or our own format. */
export interface EventProvider {
  /** The content types that it sends. */
  types: readonly string[];
  /**
   * Verifies the request and reads its events.
   * @throws ForgedEvent if it is not the provider's; Problem for a body that cannot be read.
   */
  read(request: HookRequest): Promise<ProviderReport>;
}

/** Why a request is refused; a label of a metric. */
export type ForgeryReason = 'signature' | 'timestamp' | 'origin';

/** The request is not signed by the provider, or too old. */
export class ForgedEvent extends Error {
  constructor(readonly reason: ForgeryReason) {
    super(`the request is refused: ${reason}`);
    this.name = 'ForgedEvent';
  }
}
