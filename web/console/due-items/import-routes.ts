import type { ApiClient } from '../../client/api-client.js';
import { dryRunRequest, headRequest, type ImportRoutes } from '../import/import-api.js';
import type { Kind } from './due-item-api.js';

type Routes = Omit<ImportRoutes, 'kind'>;

/** The routes of each kind, typed by /openapi.json. */
const ROUTES: Readonly<Record<Kind, (api: ApiClient) => Routes>> = {
  deadlines: (api) => ({
    propose: (head) => api.post('/api/v1/deadlines/import/columns', headRequest(head)),
    dryRun: (...file) => api.post('/api/v1/deadlines/import', dryRunRequest(...file)),
  }),
  documents: (api) => ({
    propose: (head) => api.post('/api/v1/documents/import/columns', headRequest(head)),
    dryRun: (...file) => api.post('/api/v1/documents/import', dryRunRequest(...file)),
  }),
  tasks: (api) => ({
    propose: (head) => api.post('/api/v1/tasks/import/columns', headRequest(head)),
    dryRun: (...file) => api.post('/api/v1/tasks/import', dryRunRequest(...file)),
  }),
  tickets: (api) => ({
    propose: (head) => api.post('/api/v1/tickets/import/columns', headRequest(head)),
    dryRun: (...file) => api.post('/api/v1/tickets/import', dryRunRequest(...file)),
  }),
};

export function importRoutes(api: ApiClient, kind: Kind): ImportRoutes {
  return { kind, ...ROUTES[kind](api) };
}
