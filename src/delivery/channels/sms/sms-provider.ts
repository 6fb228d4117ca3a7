import type { SendLease } from '../sender.js';

/** A text message, ready to be sent. */
export interface OutgoingSms {
  /** The same on every attempt. */
  id: string;
  /** E.164. */
  to: string;
  text: string;
  segments: number;
}

/** A company that sends text messages. */
export interface SmsProvider {
  /**
   * @returns the provider's own id of the message
   * @throws SendError and nothing else.
   */
  send(sms: OutgoingSms, lease: SendLease): Promise<string | null>;
  /** The connection test: logs in and sends nothing. @throws SendError */
  verify(): Promise<void>;
}
