import type { ApiClient } from '../../client/api-client.js';

/** More colleagues than this are not offered for a choice. */
const MAX_PEOPLE = 1_000;
const PAGE = 200;

export interface Person {
  id: string;
  name: string;
}

const known = new WeakMap<ApiClient, Promise<readonly Person[]>>();

/** The colleagues of the signed-in person, by name. Asked once; a failure is asked again. */
export function loadPeople(api: ApiClient): Promise<readonly Person[]> {
  let people = known.get(api);
  if (people === undefined) {
    people = load(api);
    known.set(api, people);
    people.catch(() => known.delete(api));
  }
  return people;
}

async function load(api: ApiClient): Promise<readonly Person[]> {
  const people: Person[] = [];
  let cursor: string | null = null;
  do {
    const query: { limit: number; cursor?: string } = { limit: PAGE, ...(cursor === null ? {} : { cursor }) };
    const page: { data: Person[]; next_cursor: string | null } = await api.get('/api/v1/users/names', {
      params: { query },
    });
    people.push(...page.data);
    cursor = page.next_cursor;
  } while (cursor !== null && people.length < MAX_PEOPLE);
  return people;
}
