/** The kinds of tenants. Literal strings, because they are stored. */
export const TENANT_KINDS = ['cabinet', 'company'] as const;
export type TenantKind = (typeof TENANT_KINDS)[number];
