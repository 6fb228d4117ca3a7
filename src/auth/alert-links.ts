import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../platform/clock/clock.js';
import { CONFIG, type Config, publicUrl } from '../platform/config/config.js';
import { Signing } from './sessions/signing.js';
import { bytesOfUuid, UUID_BYTES, uuidOfBytes } from './uuid-bytes.js';

/** Mails about facts of years ago are read, too, but no longer answered. */
const LIFE_SECONDS = 30 * 86_400;
/** A message: two UUIDs, and the expiry in seconds since 1970. */
const LENGTH = 2 * UUID_BYTES + 4;

/** The contents of a link's token. The notification names the alert, and the person who was notified of it. */
export interface AlertLink {
  tenant_id: string;
  notification_id: string;
}

/**
 * The links in mails with which a recipient acknowledges or snoozes an alert without signing in. Whoever has the mail
 * has the link: it can do this one thing, which everybody sees and can undo. Its token is signed when the mail is sent,
 * and stored nowhere.
 */
@Injectable()
export class AlertLinks {
  constructor(
    private readonly signing: Signing,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** The address of the page, for 30 days. In the path, not the fragment: the page works without a script. */
  url({ tenant_id, notification_id }: AlertLink): string {
    const expires = Buffer.alloc(4);
    expires.writeUInt32BE(Math.floor(this.clock.now().getTime() / 1_000) + LIFE_SECONDS);
    const message = Buffer.concat([bytesOfUuid(tenant_id), bytesOfUuid(notification_id), expires]);
    const token = this.signing.seal('alert_link', message.toString('base64url'));
    return `${publicUrl(this.config)}/alerts/act/${token}`;
  }

  /** The contents of a token; null if it was not made here, or has expired. */
  read(token: string): AlertLink | null {
    const [text = ''] = this.signing.unseal('alert_link', token) ?? [];
    const message = Buffer.from(text, 'base64url');
    if (message.length !== LENGTH) return null;
    const expired = message.readUInt32BE(2 * UUID_BYTES) * 1_000 <= this.clock.now().getTime();
    if (expired) return null;
    return {
      tenant_id: uuidOfBytes(message.subarray(0, UUID_BYTES)),
      notification_id: uuidOfBytes(message.subarray(UUID_BYTES, 2 * UUID_BYTES)),
    };
  }
}
