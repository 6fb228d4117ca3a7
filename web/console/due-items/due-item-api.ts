import type { ApiClient } from '../../client/api-client.js';
import type { components } from '../../client/api.js';
import type { BulkTarget, ListPage, Part } from '../list/list-state.js';

export const KINDS = ['deadlines', 'documents', 'tasks', 'tickets'] as const;
export type Kind = (typeof KINDS)[number];
/** The fields that only some kinds have. */
export const OWN_FIELDS: Readonly<Record<Kind, readonly FieldName[]>> = {
  deadlines: ['category'],
  documents: [],
  tasks: [],
  tickets: ['reference', 'amount_cents', 'currency'],
};
export const SOURCE_TYPES: Readonly<Record<Kind, string>> = {
  deadlines: 'deadline',
  documents: 'document',
  tasks: 'task',
  tickets: 'ticket',
};

/** A deadline, a document, a task or a ticket. */
export interface DueItem {
  id: string;
  title: string;
  /** Civil date. */
  due_on: string;
  client_name: string | null;
  description: string | null;
  responsible_id: string | null;
  external_id: string | null;
  status: string;
  created_at: string;
  updated_at: string;
  category?: string | null;
  reference?: string | null;
  amount_cents?: number | null;
  currency?: string | null;
  completed_at?: string | null;
  received_at?: string | null;
  settled_at?: string | null;
}

export type NewItem = Pick<DueItem, 'title' | 'due_on'> & Partial<Omit<DueItem, 'id' | 'status'>>;
export type FieldName =
  | 'title'
  | 'due_on'
  | 'client_name'
  | 'responsible_id'
  | 'category'
  | 'reference'
  | 'amount_cents'
  | 'currency'
  | 'external_id'
  | 'description';
export type Days = components['schemas']['DueDays']['data'];
type Filters = Readonly<Record<string, string>>;

/** When an item ended; null while it is open. */
export function endedAt(item: DueItem): string | null {
  return item.completed_at ?? item.received_at ?? item.settled_at ?? null;
}

/** An item as it is shown after ending or reopening it, until the server answers. */
export function asEnded(kind: Kind, at: string | null): Partial<DueItem> {
  if (kind === 'documents') return { received_at: at };
  if (kind === 'tickets') return { settled_at: at };
  return { completed_at: at };
}

export function kindOf(text: string | null | undefined): Kind {
  return KINDS.find((kind) => kind === text) ?? 'deadlines';
}

const SORTS = [
  'due_on',
  '-due_on',
  'client_name',
  '-client_name',
  'responsible',
  '-responsible',
  'title',
  '-title',
] as const;

/** The filter of the API: the texts of the address, typed. */
export function filterOf(filters: Filters) {
  const { q, open, responsible_id, due_before, due_after, client_name } = filters;
  return {
    ...(q === undefined ? {} : { q }),
    ...(open === undefined ? {} : { open: open === 'true' }),
    ...(due_before === undefined ? {} : { due_before }),
    ...(due_after === undefined ? {} : { due_after }),
    ...(client_name === undefined ? {} : { client_name }),
    ...(responsible_id === undefined
      ? {}
      : responsible_id === 'none'
        ? { unassigned: true }
        : { responsible_id }),
  };
}

function bodyOf(target: BulkTarget) {
  return 'ids' in target ? target : { filter: filterOf(target.filter), count: target.count };
}

/** The routes of one kind. */
export interface KindApi {
  list(filters: Filters, part: Part, signal?: AbortSignal): Promise<ListPage<DueItem>>;
  days(filters: Filters, signal: AbortSignal): Promise<{ data: Days }>;
  get(id: string): Promise<DueItem>;
  create(item: NewItem): Promise<DueItem>;
  update(id: string, patch: Partial<NewItem>): Promise<DueItem>;
  remove(id: string): Promise<unknown>;
  end(id: string): Promise<DueItem>;
  reopen(id: string): Promise<DueItem>;
  endMany(target: BulkTarget): Promise<{ changed: number }>;
  reopenMany(target: BulkTarget): Promise<{ changed: number }>;
}

/** The same acts for every kind: each has its own routes, typed by /openapi.json. */
export function kindApi(api: ApiClient, kind: Kind): KindApi {
  return APIS[kind](api);
}

const listed = (filters: Filters, part: Part, signal?: AbortSignal) => ({
  params: {
    query: { ...filterOf(filters), ...part, sort: SORTS.find((sort) => sort === filters.sort) ?? 'due_on' },
  },
  ...(signal === undefined ? {} : { signal }),
});
const counted = (filters: Filters, signal: AbortSignal) => ({
  params: { query: filterOf(filters) },
  signal,
});
const path = (id: string) => ({ params: { path: { id } } });

const APIS: Readonly<Record<Kind, (api: ApiClient) => KindApi>> = {
  deadlines: (api) => ({
    list: (...args) => api.get('/api/v1/deadlines', listed(...args)),
    days: (...args) => api.get('/api/v1/deadlines/days', counted(...args)),
    get: (id) => api.get('/api/v1/deadlines/{id}', path(id)),
    create: (body) => api.post('/api/v1/deadlines', { body }),
    update: (id, body) => api.patch('/api/v1/deadlines/{id}', { ...path(id), body }),
    remove: (id) => api.delete('/api/v1/deadlines/{id}', path(id)),
    end: (id) => api.post('/api/v1/deadlines/{id}/complete', path(id)),
    reopen: (id) => api.post('/api/v1/deadlines/{id}/reopen', path(id)),
    endMany: (target) => api.post('/api/v1/deadlines/complete', { body: bodyOf(target) }),
    reopenMany: (target) => api.post('/api/v1/deadlines/reopen', { body: bodyOf(target) }),
  }),
  documents: (api) => ({
    list: (...args) => api.get('/api/v1/documents', listed(...args)),
    days: (...args) => api.get('/api/v1/documents/days', counted(...args)),
    get: (id) => api.get('/api/v1/documents/{id}', path(id)),
    create: (body) => api.post('/api/v1/documents', { body }),
    update: (id, body) => api.patch('/api/v1/documents/{id}', { ...path(id), body }),
    remove: (id) => api.delete('/api/v1/documents/{id}', path(id)),
    end: (id) => api.post('/api/v1/documents/{id}/receive', path(id)),
    reopen: (id) => api.post('/api/v1/documents/{id}/reopen', path(id)),
    endMany: (target) => api.post('/api/v1/documents/receive', { body: bodyOf(target) }),
    reopenMany: (target) => api.post('/api/v1/documents/reopen', { body: bodyOf(target) }),
  }),
  tasks: (api) => ({
    list: (...args) => api.get('/api/v1/tasks', listed(...args)),
    days: (...args) => api.get('/api/v1/tasks/days', counted(...args)),
    get: (id) => api.get('/api/v1/tasks/{id}', path(id)),
    create: (body) => api.post('/api/v1/tasks', { body }),
    update: (id, body) => api.patch('/api/v1/tasks/{id}', { ...path(id), body }),
    remove: (id) => api.delete('/api/v1/tasks/{id}', path(id)),
    end: (id) => api.post('/api/v1/tasks/{id}/complete', path(id)),
    reopen: (id) => api.post('/api/v1/tasks/{id}/reopen', path(id)),
    endMany: (target) => api.post('/api/v1/tasks/complete', { body: bodyOf(target) }),
    reopenMany: (target) => api.post('/api/v1/tasks/reopen', { body: bodyOf(target) }),
  }),
  tickets: (api) => ({
    list: (...args) => api.get('/api/v1/tickets', listed(...args)),
    days: (...args) => api.get('/api/v1/tickets/days', counted(...args)),
    get: (id) => api.get('/api/v1/tickets/{id}', path(id)),
    create: (body) => api.post('/api/v1/tickets', { body }),
    update: (id, body) => api.patch('/api/v1/tickets/{id}', { ...path(id), body }),
    remove: (id) => api.delete('/api/v1/tickets/{id}', path(id)),
    end: (id) => api.post('/api/v1/tickets/{id}/settle', path(id)),
    reopen: (id) => api.post('/api/v1/tickets/{id}/reopen', path(id)),
    endMany: (target) => api.post('/api/v1/tickets/settle', { body: bodyOf(target) }),
    reopenMany: (target) => api.post('/api/v1/tickets/reopen', { body: bodyOf(target) }),
  }),
};
