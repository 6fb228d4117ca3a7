import { Inject, Injectable, Logger } from '@nestjs/common';
import { Clock } from '../../../../platform/clock/clock.js';
import { Database } from '../../../../platform/database/database.js';
import { UndecryptableError } from '../../../../platform/encryption/encryption.js';
import { EndpointSecrets } from './endpoint-secrets.js';

interface StoredSecrets {
  id: string;
  url: string;
  secret: string | null;
  previous_secret: string | null;
  previous_until: Date | null;
}

/** Re-encrypts what a previous JWT_SECRET encrypted, and deletes expired secrets. */
@Injectable()
export class EndpointRekeying {
  private readonly logger = new Logger('Webhooks');

  constructor(
    private readonly database: Database,
    private readonly secrets: EndpointSecrets,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** All endpoints of a tenant: at most 20. @returns how many were changed */
  async run(tenantId: string): Promise<number> {
    return this.database.tenant(tenantId, async (tx) => {
      const rows = await tx.query<StoredSecrets>(
        `SELECT id, url, secret, previous_secret, previous_until FROM webhook_endpoints
         WHERE tenant_id = $1 AND (previous_until <= $3 OR NOT (starts_with(url, $2) AND
           starts_with(coalesce(secret, $2), $2) AND starts_with(coalesce(previous_secret, $2), $2)))
         ORDER BY id FOR NO KEY UPDATE`,
        [tenantId, this.secrets.currentPrefix, this.clock.now()],
      );
      const renewed = rows.flatMap((row) => this.renewed(tenantId, row) ?? []);
      if (renewed.length === 0) return 0;
      return tx.execute(
        `UPDATE webhook_endpoints e
         SET url = r.url, secret = r.secret, previous_secret = r.previous_secret, previous_until = r.previous_until
         FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
           AS r (id, url, secret, previous_secret, previous_until)
         WHERE e.tenant_id = $1 AND e.id = r.id`,
        [
          tenantId,
          renewed.map(({ id }) => id),
          renewed.map(({ url }) => url),
          renewed.map(({ secret }) => secret),
          renewed.map(({ previous_secret }) => previous_secret),
          renewed.map(({ previous_until }) => previous_until),
        ],
      );
    });
  }

  /** Null if one of its texts cannot be decrypted: the row stays as it is, until the old secret is configured. */
  private renewed(tenantId: string, { id, url, secret, ...previous }: StoredSecrets): StoredSecrets | null {
    const again = (column: 'url' | 'secret' | 'previous_secret', stored: string) =>
      this.secrets.encrypt(column, tenantId, id, this.secrets.decrypt(column, tenantId, id, stored));
    const { previous_secret, previous_until } = previous;
    const expired = previous_until === null || previous_until <= this.clock.now();
    try {
      return {
        id,
        url: again('url', url),
        secret: secret === null ? null : again('secret', secret),
        previous_secret:
          previous_secret === null || expired ? null : again('previous_secret', previous_secret),
        previous_until: expired ? null : previous_until,
      };
    } catch (error) {
      if (!(error instanceof UndecryptableError)) throw error;
      this.logger.error({ event: 'webhook_undecryptable', tenant_id: tenantId, endpoint_id: id });
      return null;
    }
  }
}
