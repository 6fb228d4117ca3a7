import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';

/** A webhook call whose signature is valid. */
export interface CaughtCall {
  id: string;
  type: string;
  data: { title: string };
}

/** A program on this machine that receives webhooks. */
export interface WebhookCatcher {
  readonly url: string;
  /** The secret of the endpoint, which signs its calls. */
  secret: string;
  /** Oldest first. */
  readonly calls: readonly CaughtCall[];
  close(): Promise<void>;
}

/** The network of the catcher, for WEBHOOK_ALLOWED_NETWORKS. */
export const CATCHER_NETWORK = '127.0.0.1/32';

/** Answers 204 to calls with a valid signature, and 401 to others. */
export async function startWebhookCatcher(): Promise<WebhookCatcher> {
  const calls: CaughtCall[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const call = verified(catcher.secret, body, request.headers);
      if (call !== null) calls.push(call);
      response.writeHead(call === null ? 401 : 204).end();
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const catcher: WebhookCatcher = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/vigie`,
    secret: '',
    calls,
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
  return catcher;
}

function verified(secret: string, body: string, headers: IncomingHttpHeaders): CaughtCall | null {
  const header = (name: string) => String(headers[name] ?? '');
  try {
    const call = new Webhook(secret).verify(body, {
      'webhook-id': header('webhook-id'),
      'webhook-timestamp': header('webhook-timestamp'),
      'webhook-signature': header('webhook-signature'),
    }) as Omit<CaughtCall, 'id'>;
    return { id: header('webhook-id'), ...call };
  } catch {
    return null;
  }
}
