import type { ApiClient } from '../../client/api-client.js';
import type { components } from '../../client/api.js';

export type Import = components['schemas']['ImportView'];
export type Proposal = components['schemas']['ColumnProposal'];
export type Change = components['schemas']['ImportChange'];
export type Fault = components['schemas']['ImportFault'];
export type Outcome = Change['outcome'];

/** How the columns of a file are read. */
export interface Mapping {
  columns: string;
  header_line: number;
  separator: Proposal['separator'];
}

/** As long as the server waits for an upload. */
const UPLOAD_MS = 15 * 60_000;
/** Of a tenant's newest imports, as many are searched for one's own. */
const MAX_UNDER_WAY = 20;
/** Applying a million lines takes minutes. */
const APPLY_MS = 10 * 60_000;

/** The routes of one kind of files. */
export interface ImportRoutes {
  readonly kind: Import['kind'];
  /** @param head the beginning of a CSV file, up to the end of a line */
  propose(head: Blob): Promise<Proposal>;
  dryRun(file: Blob, type: string, mapping: Mapping | null): Promise<Import>;
}

/** The beginning of a CSV file, as the body of a request. */
export function headRequest(head: Blob) {
  return upload(head, 'text/csv');
}

/** A whole file, as a request that changes nothing. */
export function dryRunRequest(file: Blob, type: string, mapping: Mapping | null) {
  return { params: { query: { dry_run: true, ...mapping } }, ...upload(file, type) };
}

function upload(file: Blob, type: string) {
  return {
    body: '',
    bodySerializer: () => file,
    headers: { 'content-type': type },
    signal: AbortSignal.timeout(UPLOAD_MS),
  };
}

/** The routes of imports, typed by /openapi.json. */
export class ImportApi {
  constructor(
    private readonly api: ApiClient,
    private readonly routes: ImportRoutes,
    /** The id of the signed-in person. */
    private readonly me: string,
  ) {}

  propose(head: Blob): Promise<Proposal> {
    return this.routes.propose(head);
  }

  dryRun(file: Blob, type: string, mapping: Mapping | null): Promise<Import> {
    return this.routes.dryRun(file, type, mapping);
  }

  /** The import that this person is sending, with its progress; null: none. Colleagues may be sending others. */
  async underWay(): Promise<Import | null> {
    const { data } = await this.api.get('/api/v1/imports', {
      params: { query: { kind: this.routes.kind, limit: MAX_UNDER_WAY } },
    });
    const actor = `user:${this.me}`;
    // Skip staged imports: they wait for a decision and may belong to another file.
    const isUnderWay = ({ state }: Import) => state === 'receiving' || state === 'comparing';
    return data.find((one) => one.created_by === actor && isUnderWay(one)) ?? null;
  }

  get(id: string): Promise<Import> {
    return this.api.get('/api/v1/imports/{id}', { params: { path: { id } } });
  }

  changes(id: string, outcome: Outcome, cursor: string | null) {
    const query = { outcome, limit: 50, ...(cursor === null ? {} : { cursor }) };
    return this.api.get('/api/v1/imports/{id}/changes', { params: { path: { id }, query } });
  }

  faults(id: string, cursor: string | null) {
    const query = { limit: 50, ...(cursor === null ? {} : { cursor }) };
    return this.api.get('/api/v1/imports/{id}/faults', { params: { path: { id }, query } });
  }

  apply(id: string): Promise<Import> {
    return this.api.post('/api/v1/imports/{id}/apply', {
      params: { path: { id } },
      signal: AbortSignal.timeout(APPLY_MS),
    });
  }

  discard(id: string): Promise<unknown> {
    return this.api.delete('/api/v1/imports/{id}', { params: { path: { id } } });
  }
}
