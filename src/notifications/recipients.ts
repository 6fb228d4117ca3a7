import type { TenantTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';

/**
 * Refuses ids that are not users of this tenant. Another tenant's users get the same answer as unknown ones.
 * @param pointer the field of the only user; by default each is named by its index in `user_ids`.
 * @throws Problem validation_failed
 */
export async function refuseUnknownUsers(
  tx: TenantTransaction,
  userIds: readonly string[],
  pointer?: string,
): Promise<void> {
  const unknown = await tx.query<{ id: string; position: number }>(
    `SELECT asked.id, asked.position FROM unnest($2::uuid[]) WITH ORDINALITY AS asked (id, position)
     WHERE NOT EXISTS (SELECT FROM users u WHERE u.tenant_id = $1 AND u.id = asked.id)
     ORDER BY asked.position`,
    [tx.tenant_id, userIds],
  );
  if (unknown.length === 0) return;
  throw new Problem('validation_failed', undefined, {
    // WITH ORDINALITY counts from 1.
    errors: unknown.map(({ id, position }) => ({
      pointer: pointer ?? `/user_ids/${position - 1}`,
      detail: `${id} is no user of this tenant`,
    })),
  });
}
