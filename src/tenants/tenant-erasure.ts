import { Injectable } from '@nestjs/common';
import type { TenantTransaction } from '../platform/database/transaction.js';

/** The part of an erasure that concerns the tenant itself. */
@Injectable()
export class TenantErasure {
  /**
   * Removes these addresses from the recipients of incidents. Without any left, the admins are notified.
   * @param addresses in lower case
   * @returns 1 if there was one
   */
  async forgetRecipient(tx: TenantTransaction, addresses: readonly string[]): Promise<number> {
    return tx.execute(
      `UPDATE tenants SET settings = jsonb_set(settings, '{alert_recipients}', (
         SELECT coalesce(jsonb_agg(address ORDER BY place), '[]')
         FROM jsonb_array_elements_text(settings -> 'alert_recipients') WITH ORDINALITY AS r (address, place)
         WHERE lower(address) <> ALL ($2::text[])))
       WHERE id = $1 AND jsonb_typeof(settings -> 'alert_recipients') = 'array' AND EXISTS (
         SELECT FROM jsonb_array_elements_text(settings -> 'alert_recipients') AS r (address)
         WHERE lower(address) = ANY ($2::text[]))`,
      [tx.tenant_id, addresses],
    );
  }

  /** Lets every process read the tenant's own words again. */
  async wordsChanged(tx: TenantTransaction): Promise<void> {
    await tx.execute(
      `UPDATE tenants SET wording_version = gen_random_uuid() WHERE id = $1 AND wording_version IS NOT NULL`,
      [tx.tenant_id],
    );
  }
}
