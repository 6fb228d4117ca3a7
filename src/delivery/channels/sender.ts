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
