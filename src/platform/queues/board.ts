import { createBullBoard } from '@bull-board/api';
import { BullAdapter } from '@bull-board/api/bullAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { FastifyPluginCallback } from 'fastify';
import type { Queues } from './queues.js';

/** A page of the board's menu. */
export interface BoardLink {
  text: string;
  url: string;
}

/**
 * A read-only Bull Board: a job shows only the ids of its subject. The caller that registers it decides who may see it.
 * @param path where it is served, without a trailing slash.
 */
export function boardPlugin(queues: Queues, path: string, links: BoardLink[]): FastifyPluginCallback {
  const server = new FastifyAdapter();
  server.setBasePath(path);
  createBullBoard({
    queues: queues.forBoard().map((queue) => {
      const adapter = new BullAdapter(queue, { readOnlyMode: true });
      adapter.setFormatter('data', idsOf);
      return adapter;
    }),
    serverAdapter: server,
    options: {
      uiConfig: {
        boardTitle: 'Vigie',
        miscLinks: links,
        hideRedisDetails: true,
        hideDocsLink: true,
        showMetrics: false,
        showWorkers: false,
      },
    },
  });
  return server.registerPlugin();
}

/** Without the lease token, which is the right to send. */
function idsOf(data: unknown): Record<string, unknown> {
  const { tenant_id, bundle_id, run_id } = (data ?? {}) as Record<string, unknown>;
  return { tenant_id, ...(bundle_id === undefined ? { run_id } : { bundle_id }) };
}
