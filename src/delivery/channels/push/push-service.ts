import type { WebPushContent } from '../../../contracts/web-push.js';
import type { SendLease } from '../sender.js';
import type { DeviceToken } from './device-token.js';

/** A push, ready to be sent. */
export interface OutgoingPush extends WebPushContent {
  urgent: boolean;
}

/** A service that reaches devices of one platform. */
export interface PushService<Token extends DeviceToken> {
  /**
   * @returns the service's own id of the push
   * @throws SendError and nothing else; `address_stopped` if it no longer knows the device.
   */
  send(push: OutgoingPush, token: Token, lease: SendLease): Promise<string | null>;
  /** The connection test: sends nothing. @throws SendError */
  verify(): Promise<void>;
}
