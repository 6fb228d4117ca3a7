import { Inject, Injectable } from '@nestjs/common';
import { Clock } from '../../../platform/clock/clock.js';
import { CONFIG, type Config } from '../../../platform/config/config.js';
import { Database } from '../../../platform/database/database.js';
import { Encryption } from '../../../platform/encryption/encryption.js';
import { invalid, notFound, type Problem } from '../../../platform/errors/problem.js';
import { checkSubscription, type DeviceToken, fingerprintOf } from './device-token.js';
import type { Devices, DeviceView, NewDevice } from './devices.dto.js';

/** Of one user; registering one more removes the one that was not seen for longest. */
const MAX_DEVICES = 20;

/** The columns of a `DeviceView`. */
const VIEW = `id, platform, name, encode(fingerprint, 'hex') AS fingerprint, created_at, seen_at`;

/** Whose devices. */
interface Owner {
  tenant_id: string;
  user_id: string;
}

/** The devices of users. Their tokens are stored encrypted, and never shown. */
@Injectable()
export class DeviceRegistry {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
    private readonly database: Database,
    private readonly encryption: Encryption,
  ) {}

  async list({ tenant_id, user_id }: Owner): Promise<Devices> {
    const data = await this.database.tenant(tenant_id, (tx) =>
      tx.query<DeviceView>(
        `SELECT ${VIEW} FROM devices WHERE tenant_id = $1 AND user_id = $2
         ORDER BY seen_at DESC, id LIMIT $3`,
        [tenant_id, user_id, MAX_DEVICES],
      ),
    );
    return { data, web_push_public_key: this.config.vapidPublicKey };
  }

  /**
   * Registers a device for a user, again and again: a device that another user of the tenant had now is this one's.
   * @throws Problem validation_failed, also if this installation sends nothing to such devices
   */
  async register({ tenant_id, user_id }: Owner, device: NewDevice): Promise<DeviceView> {
    const token = this.read(device);
    const fingerprint = fingerprintOf(token);
    const now = this.clock.now();
    return this.database.tenant(tenant_id, async (tx) => {
      const view = await tx.one<DeviceView>(
        `INSERT INTO devices (tenant_id, user_id, platform, fingerprint, token, name, created_at, seen_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
         ON CONFLICT (tenant_id, fingerprint) DO UPDATE
         SET user_id = EXCLUDED.user_id, token = EXCLUDED.token, name = EXCLUDED.name, seen_at = EXCLUDED.seen_at
         RETURNING ${VIEW}`,
        [
          tenant_id,
          user_id,
          token.platform,
          fingerprint,
          this.encryption.encrypt('device', placeOf(fingerprint), JSON.stringify(token)),
          device.name ?? null,
          now,
        ],
      );
      if (view === null) throw new Error('a device was not stored');
      await tx.execute(
        `DELETE FROM devices WHERE tenant_id = $1 AND id IN (
           SELECT id FROM devices WHERE tenant_id = $1 AND user_id = $2 ORDER BY seen_at DESC, id OFFSET $3)`,
        [tenant_id, user_id, MAX_DEVICES],
      );
      return view;
    });
  }

  /** @throws Problem not_found */
  async remove({ tenant_id, user_id }: Owner, id: string): Promise<void> {
    const removed = await this.database.tenant(tenant_id, (tx) =>
      tx.one(`DELETE FROM devices WHERE tenant_id = $1 AND user_id = $2 AND id = $3 RETURNING id`, [
        tenant_id,
        user_id,
        id,
      ]),
    );
    if (removed === null) throw notFound();
  }

  /** The address of a device; null if it was removed. @throws UndecryptableError */
  async tokenOf(tenantId: string, id: string): Promise<DeviceToken | null> {
    const row = await this.database.tenant(tenantId, (tx) =>
      tx.one<{ fingerprint: Buffer; token: string }>(
        `SELECT fingerprint, token FROM devices WHERE tenant_id = $1 AND id = $2`,
        [tenantId, id],
      ),
    );
    if (row === null) return null;
    return JSON.parse(this.encryption.decrypt('device', placeOf(row.fingerprint), row.token)) as DeviceToken;
  }

  /** The push service no longer knows this device. */
  async forget(tenantId: string, id: string): Promise<void> {
    await this.database.tenant(tenantId, (tx) =>
      tx.execute(`DELETE FROM devices WHERE tenant_id = $1 AND id = $2`, [tenantId, id]),
    );
  }

  private read({ platform, token, subscription }: NewDevice): DeviceToken {
    if (platform === 'fcm') {
      if (this.config.fcmServiceAccountFile === null) throw notConfigured('apps (FCM)');
      if (typeof token !== 'string') throw invalid('/token', 'is required for fcm');
      return { platform, token };
    }
    if (this.config.vapidPublicKey === null) throw notConfigured('browsers (Web Push)');
    if (!subscription) throw invalid('/subscription', 'is required for web_push');
    checkSubscription(subscription, this.config.webPushServices);
    const { endpoint, keys } = subscription;
    return { platform, subscription: { endpoint, keys: { p256dh: keys.p256dh, auth: keys.auth } } };
  }
}

/** A token that is copied to another row cannot be decrypted there. */
function placeOf(fingerprint: Buffer): string {
  return `devices.token:${fingerprint.toString('hex')}`;
}

function notConfigured(devices: string): Problem {
  return invalid('/platform', `this installation sends no pushes to ${devices}`);
}
