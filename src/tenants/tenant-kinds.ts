/** What a tenant is. Written strings: they are stored. */
export const TENANT_KINDS = ['cabinet', 'company'] as const;
export type TenantKind = (typeof TENANT_KINDS)[number];
