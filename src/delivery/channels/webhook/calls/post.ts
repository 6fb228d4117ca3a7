import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { CallError, faultOf } from './call-error.js';
import type { Target } from '../guard/target.js';

/** Time limits in ms. */
export interface CallLimits {
  /** TCP and TLS. */
  connect_ms: number;
  /** The whole call, until the status is known. */
  whole_ms: number;
  /** Reading the body after that. */
  body_ms: number;
}

export const CALL_LIMITS: CallLimits = { connect_ms: 5_000, whole_ms: 20_000, body_ms: 2_000 };

/** The rest of a longer body is not read, in bytes. */
const MAX_BODY = 64 * 1024;

export interface CallOptions {
  limits: CallLimits;
  /** Certificate authorities to trust instead of the system's, PEM. */
  ca: readonly string[] | null;
  /** Stops the call while nothing has been sent. */
  signal: AbortSignal;
}

/** The receiver's answer. */
export interface Reply {
  status: number;
  retry_after: string | null;
  /** At most 64 KB of it. */
  body: string;
}

/**
 * One POST on a new connection to exactly the target's addresses. Never follows a redirect. The status is the answer:
 * a body that is endless or slow is cut off.
 * @throws CallError and nothing else
 */
export function post(
  { url, host, addresses }: Target,
  headers: Readonly<Record<string, string>>,
  body: string,
  { limits, ca, signal }: CallOptions,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const secure = url.protocol === 'https:';
    let connected = false;
    const options: https.RequestOptions = {
      method: 'POST',
      host,
      path: url.pathname + url.search,
      headers: { ...headers, host: url.host, 'content-length': Buffer.byteLength(body) },
      lookup: pinned(addresses),
      ...(url.port === '' ? {} : { port: url.port }),
      ...(secure ? { rejectUnauthorized: true, servername: isIP(host) === 0 ? host : '' } : {}),
      ...(ca === null ? {} : { ca: [...ca] }),
    };
    // A separate agent: no connection is shared between endpoints, and none goes through a proxy.
    const request = secure
      ? https.request({ ...options, agent: new https.Agent({ keepAlive: false }) })
      : http.request({ ...options, agent: new http.Agent({ keepAlive: false }) });

    const connecting = setTimeout(() => {
      if (!connected) fail(new CallError('timeout', 'did not accept the connection in time', false));
    }, limits.connect_ms);
    const whole = setTimeout(() => {
      fail(new CallError('timeout', 'did not answer in time', connected));
    }, limits.whole_ms);
    const stop = () => {
      if (!connected) fail(new CallError('stopped', 'was not called: the lease was lost', false));
    };
    const end = () => {
      clearTimeout(connecting);
      clearTimeout(whole);
      signal.removeEventListener('abort', stop);
      request.destroy();
    };
    const fail = (error: CallError) => {
      end();
      reject(error);
    };

    signal.addEventListener('abort', stop);
    request.on('socket', (socket) => {
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        connected = true;
        clearTimeout(connecting);
      });
    });
    request.on('error', (error) => fail(faultOf(error, connected)));
    request.on('response', (response) => {
      clearTimeout(whole);
      void readBody(response, limits.body_ms).then((text) => {
        end();
        resolve({
          status: response.statusCode ?? 0,
          retry_after: response.headers['retry-after'] ?? null,
          body: text,
        });
      });
    });
    if (signal.aborted) stop();
    else request.end(body);
  });
}

/** Whatever arrives within the limits; never rejects. */
function readBody(response: http.IncomingMessage, ms: number): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(end, ms);
    function end(): void {
      clearTimeout(timer);
      response.removeAllListeners('data');
      response.destroy();
      resolve(Buffer.concat(chunks).subarray(0, MAX_BODY).toString('utf8'));
    }
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= MAX_BODY) end();
    });
    response.on('error', end);
    response.on('close', end);
    response.on('end', end);
  });
}

/** Resolves every name to the addresses that were checked. */
function pinned(addresses: Target['addresses']): LookupFunction {
  return (_name, options, callback) => {
    const [first] = addresses;
    if (options.all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family ?? 4);
  };
}
