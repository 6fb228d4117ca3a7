import type { ApiClient } from '../client/api-client.js';

const MAX_TENANTS = 200;

/** A tenant that an operator can choose: its short name, and its name. */
export type TenantChoice = readonly [slug: string, name: string];

/** The first 200 tenants, by name. Empty if they cannot be loaded: the address of a page may still name one. */
export async function loadTenantChoices(api: ApiClient): Promise<readonly TenantChoice[]> {
  const { data } = await api
    .get('/api/v1/admin/tenants', { params: { query: { limit: MAX_TENANTS } } })
    .catch(() => ({ data: [] }));
  return data.map(({ slug, name }) => [slug, name] as const);
}

/** The choices of a field, with the one that the address names. */
export function withNamed(
  choices: readonly TenantChoice[],
  slug: string | undefined,
): readonly TenantChoice[] {
  const isKnown = slug === undefined || slug === '' || choices.some(([known]) => known === slug);
  return isKnown ? choices : [[slug, slug], ...choices];
}
