import { Injectable, Logger } from '@nestjs/common';
import { Database } from '../../../platform/database/database.js';
import { Encryption, UndecryptableError } from '../../../platform/encryption/encryption.js';
import { placeOf } from './device-token.js';

/** Devices per transaction. */
const BATCH = 1_000;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

interface StoredToken {
  id: string;
  fingerprint: Buffer;
  token: string;
}

interface Page {
  read: number;
  renewed: number;
  /** The id of its last device; undefined after the last page. */
  last: string | undefined;
}

/** Encrypts with the current JWT_SECRET the tokens of devices that a previous one has encrypted. */
@Injectable()
export class DeviceRekeying {
  private readonly logger = new Logger('Push');

  constructor(
    private readonly database: Database,
    private readonly encryption: Encryption,
  ) {}

  /**
   * All devices of a tenant. One that cannot be decrypted stays as it is, until the old secret is configured or its app
   * registers it again.
   * @returns how many were changed
   */
  async run(tenantId: string, signal: AbortSignal): Promise<number> {
    let changed = 0;
    let undecryptable = 0;
    let after: string | undefined = FIRST_ID;
    while (after !== undefined) {
      signal.throwIfAborted();
      const page: Page = await this.page(tenantId, after);
      changed += page.renewed;
      undecryptable += page.read - page.renewed;
      after = page.last;
    }
    if (undecryptable > 0)
      this.logger.error({ event: 'devices_undecryptable', tenant_id: tenantId, devices: undecryptable });
    return changed;
  }

  private async page(tenantId: string, after: string): Promise<Page> {
    return this.database.tenant(tenantId, async (tx) => {
      const rows = await tx.query<StoredToken>(
        `SELECT id, fingerprint, token FROM devices
         WHERE tenant_id = $1 AND id > $2 AND NOT starts_with(token, $3) ORDER BY id LIMIT $4 FOR NO KEY UPDATE`,
        [tenantId, after, this.encryption.currentPrefix, BATCH],
      );
      const renewed = rows.flatMap((row) => this.renewed(row) ?? []);
      if (renewed.length > 0)
        await tx.execute(
          `UPDATE devices d SET token = r.token FROM unnest($2::uuid[], $3::text[]) AS r (id, token)
           WHERE d.tenant_id = $1 AND d.id = r.id`,
          [tenantId, renewed.map(({ id }) => id), renewed.map(({ token }) => token)],
        );
      const last = rows.length < BATCH ? undefined : rows.at(-1)?.id;
      return { read: rows.length, renewed: renewed.length, last };
    });
  }

  private renewed({ id, fingerprint, token }: StoredToken): { id: string; token: string } | null {
    const place = placeOf(fingerprint);
    try {
      const text = this.encryption.decrypt('device', place, token);
      return { id, token: this.encryption.encrypt('device', place, text) };
    } catch (error) {
      if (error instanceof UndecryptableError) return null;
      throw error;
    }
  }
}
