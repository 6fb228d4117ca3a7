import type { TenantCaller } from '../../../platform/http/caller.js';

/** Somebody who is no user of the tenant, with the rights of its admins. @param principal as stored: `cli` */
export function actingAdmin(tenant_id: string, principal: string): TenantCaller {
  return { kind: 'user', tenant_id, principal, user_id: null, agent_id: null, role: 'admin' };
}
