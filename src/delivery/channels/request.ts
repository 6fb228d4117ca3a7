import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { type ChannelFault, LEASE_LOST, SendError, type SendLease } from './sender.js';

/** A request to a provider. */
export interface ProviderRequest {
  method: 'GET' | 'POST';
  url: URL;
  headers: Readonly<Record<string, string>>;
  body: string | Buffer;
}

/** A provider's answer, whatever its status. */
export interface ProviderAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  /** At most 64 KB of it, as text. */
  body: string;
}

/** Time limits in ms. */
export interface RequestTimeouts {
  /** Name look-up, connection and TLS together. */
  connect_ms: number;
  /** The whole exchange. */
  total_ms: number;
}

export const PROVIDER_TIMEOUTS: RequestTimeouts = { connect_ms: 10_000, total_ms: 30_000 };

const MAX_ANSWER_BYTES = 65_536;

/**
 * Sends a request to a provider over a connection of its own: a reused one may be closed by the other side just when the request
 * is written, and nobody could know whether it arrived. Follows no redirects.
 * @throws SendError `channel` if no connection was made, so that the provider has received nothing; `ambiguous` if it
 *   may have received the request and its answer is missing; `retryable` if the lease is lost before.
 */
export async function exchange(
  { method, url, headers, body }: ProviderRequest,
  lease: SendLease | null,
  { connect_ms, total_ms }: RequestTimeouts = PROVIDER_TIMEOUTS,
): Promise<ProviderAnswer> {
  if (lease !== null && (lease.signal.aborted || !lease.isValid()))
    throw new SendError('retryable', LEASE_LOST);
  let connected = false;
  const sent = url.protocol === 'https:' ? tlsRequest : plainRequest;
  const outgoing = sent(url, {
    method,
    agent: false,
    headers: { ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' },
  });
  // An answer that has begun reports a reset instead of the reason.
  const reasons: Error[] = [];
  const stop = (reason: Error) => {
    reasons.push(reason);
    outgoing.destroy(reason);
  };
  const late = setTimeout(() => stop(timedOut(url, 'connect')), connect_ms);
  const deadline = setTimeout(() => stop(timedOut(url, 'answer')), total_ms);
  const onLeaseLost = () => {
    if (!connected) stop(new LeaseLost());
  };
  lease?.signal.addEventListener('abort', onLeaseLost, { once: true });
  outgoing.once('socket', (socket) => {
    socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
      clearTimeout(late);
      if (lease !== null && !lease.isValid()) stop(new LeaseLost());
      else connected = true;
    });
  });
  try {
    // Written once connected: before that, nothing of it can have arrived.
    const answering = answerTo(outgoing);
    outgoing.end(body);
    const answer = await answering;
    return { status: answer.statusCode ?? 0, headers: answer.headers, body: await textOf(answer) };
  } catch (error) {
    const reason = reasons[0] ?? error;
    if (reason instanceof LeaseLost) throw new SendError('retryable', LEASE_LOST);
    throw sendError(reason, connected, url);
  } finally {
    clearTimeout(late);
    clearTimeout(deadline);
    lease?.signal.removeEventListener('abort', onLeaseLost);
    outgoing.destroy();
  }
}

class LeaseLost extends Error {}

async function answerTo(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', resolve);
    // Stays: an error after the answer began must not end the process.
    outgoing.on('error', reject);
  });
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8').slice(0, MAX_ANSWER_BYTES);
}

function timedOut(url: URL, what: 'connect' | 'answer'): Error {
  const detail = what === 'connect' ? 'no connection' : 'no complete answer';
  return Object.assign(new Error(`${detail} from ${url.host} in time`), { code: 'ETIMEDOUT' });
}

function sendError(error: unknown, connected: boolean, url: URL): SendError {
  const code = codeOf(error);
  const words = `${url.host}: ${error instanceof Error ? error.message : String(error)}`;
  if (connected)
    return new SendError(
      'ambiguous',
      `${words}, after the request was sent`,
      undefined,
      undefined,
      true,
      code,
    );
  const cause: ChannelFault = /CERT|SIGNATURE|^ERR_(?:SSL|TLS)|^EPROTO$/.test(code ?? '')
    ? 'tls'
    : 'unreachable';
  return new SendError('channel', words, undefined, cause, false, code);
}

function codeOf(error: unknown): string | null {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : null;
}

/**
 * How long the provider asks to wait, in ms; undefined if it does not say.
 * @param value of Retry-After: seconds or an HTTP date (RFC 9110 §10.2.3)
 * @param now ms since the epoch
 */
export function retryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1_000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** The fields of a JSON object; none if the text is something else. */
export function jsonFields(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
