import type { components, paths } from './api.js';
import { completed, type Notification } from './types.js';
import type { Tokens } from './tokens.js';

/** A server that answers later counts as unreachable. */
const TIMEOUT_MS = 15_000;

export type FeedQuery = NonNullable<paths['/api/v1/notifications']['get']['parameters']['query']>;
export type ReadAllQuery = NonNullable<paths['/api/v1/notifications/read-all']['put']['parameters']['query']>;
export interface FeedPage {
  data: Notification[];
  next_cursor: string | null;
}
export type Preferences = components['schemas']['PreferencesView'];
/** Only what a person chose; everything else keeps its default. */
export type ChosenPreferences = components['schemas']['Preferences'];
export type NotificationTrace = components['schemas']['NotificationTrace'];
export type Mark = 'read' | 'unread' | 'archive';
export type Problem = components['schemas']['Problem'];

/**
 * A request that did not succeed.
 * - `auth`: no token, or a refused one.
 * - `network`: no answer.
 * - `incompatible`: an answer that is not of a Vigie server of this API.
 * - `refused`: the server's reason is in `code`.
 */
export class RequestError extends Error {
  override readonly name = 'RequestError';

  /** What the server answered; null where it gave no reason. */
  readonly problem: Problem | null;

  constructor(
    readonly reason: 'auth' | 'network' | 'incompatible' | 'refused',
    readonly code: Problem['code'] | null,
    { problem, ...options }: ErrorOptions & { problem?: Problem } = {},
  ) {
    super(code ?? reason, options);
    this.problem = problem ?? null;
  }
}

type Method = 'get' | 'put' | 'post';

/** The answer of a route, from /openapi.json. */
type Answer<Path extends keyof paths, M extends Method> = paths[Path][M] extends {
  responses: { 200: { content: { 'application/json': infer Data } } };
}
  ? Data
  : never;

/** The input of a route, from /openapi.json. */
interface Input<Path extends keyof paths, M extends Method> {
  id?: string;
  query?: paths[Path][M] extends { parameters: { query?: infer Query } } ? Query : never;
  body?: paths[Path][M] extends { requestBody: { content: { 'application/json': infer Body } } }
    ? Body
    : never;
}

/** The routes that an inbox needs, typed by /openapi.json. Each method throws RequestError. */
export class Rest {
  private countsSeen = true;
  /** How far this machine's clock is behind the server's, in ms; 0 until an answer shows it. */
  clockOffsetMs = 0;

  constructor(
    private readonly server: string,
    private readonly tokens: Tokens,
  ) {}

  async feed(query: FeedQuery): Promise<FeedPage> {
    const { data, next_cursor } = await this.call('get', '/api/v1/notifications', { query });
    if (!Array.isArray(data)) throw new RequestError('incompatible', null);
    return { data: data.map(completed), next_cursor };
  }

  trace(id: string): Promise<NotificationTrace> {
    return this.call('get', '/api/v1/notifications/{id}/trace', { id });
  }

  mark(id: string, mark: Mark): Promise<Notification> {
    return this.call('put', `/api/v1/notifications/{id}/${mark}`, { id });
  }

  async markAllRead(query: ReadAllQuery): Promise<void> {
    await this.call('put', '/api/v1/notifications/read-all', { query });
  }

  /** Acknowledges the alert, or withdraws the acknowledgement. */
  async acknowledge(alertId: string, isAcknowledged: boolean): Promise<void> {
    const act = isAcknowledged ? 'acknowledge' : 'unacknowledge';
    await this.call('post', `/api/v1/alerts/{id}/${act}`, { id: alertId });
  }

  /** @param until null ends the snooze. */
  async snooze(alertId: string, until: Date | null): Promise<void> {
    const body = { until: until?.toISOString() ?? null };
    await this.call('post', '/api/v1/alerts/{id}/snooze', { id: alertId, body });
  }

  /** Says that the user has seen the inbox up to this change. Older servers do not keep that: then it does nothing. */
  async seen(cursor: string): Promise<void> {
    if (!this.countsSeen) return;
    try {
      await this.send('put', '/api/v1/notifications/seen', JSON.stringify({ cursor }));
    } catch (error) {
      const code = error instanceof RequestError ? error.code : null;
      if (code !== 'not_found' && code !== 'method_not_allowed') throw error;
      this.countsSeen = false;
    }
  }

  preferences(): Promise<Preferences> {
    return this.call('get', '/api/v1/preferences', {});
  }

  savePreferences(body: ChosenPreferences): Promise<Preferences> {
    return this.call('put', '/api/v1/preferences', { body });
  }

  /** A request whose input and answer are typed by /openapi.json. openapi-fetch does this too, in 3 kB of gzip. */
  private async call<Path extends keyof paths, M extends Method>(
    method: M,
    path: Path,
    { id = '', query, body }: Input<Path, M>,
  ): Promise<Answer<Path, M>> {
    const search = new URLSearchParams(
      Object.entries(query ?? {}).map(([name, value]): [string, string] => [name, String(value)]),
    ).toString();
    const url = path.replace('{id}', encodeURIComponent(id)) + (search === '' ? '' : `?${search}`);
    const answer = await this.send(method, url, body === undefined ? null : JSON.stringify(body));
    return answer as Answer<Path, M>;
  }

  /** Sends a request with a token. Replaces a first refused one at once, later ones after the back-off. */
  private async send(method: Method, path: string, body: string | null): Promise<unknown> {
    let response = await this.sendOnce(method, path, body);
    if (response.status === 401) {
      if (!this.tokens.mayRetryNow) throw new RequestError('auth', 'unauthenticated');
      response = await this.sendOnce(method, path, body);
    }
    return read(response);
  }

  private async sendOnce(method: Method, path: string, body: string | null): Promise<Response> {
    const token = await this.tokens.get().catch((cause: unknown) => {
      throw new RequestError('auth', null, { cause });
    });
    const response = await globalThis
      .fetch(this.server + path, {
        method: method.toUpperCase(),
        headers: {
          ...(this.tokens.areCookies ? {} : { authorization: `Bearer ${token}` }),
          ...(body === null ? {} : { 'content-type': 'application/json' }),
        },
        body,
        // What a person did is sent even if they leave the page by the same click.
        keepalive: method !== 'get',
        // The server refuses a token and a console's cookie in one request.
        credentials: this.tokens.areCookies ? 'same-origin' : 'omit',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      .catch((cause: unknown) => {
        throw new RequestError('network', null, { cause });
      });
    if (response.status === 401) this.tokens.refused(token);
    else if (response.ok) this.tokens.accepted(token);
    this.clockOffsetMs = offsetOf(response) ?? this.clockOffsetMs;
    return response;
  }
}

/**
 * How far this machine's clock is behind the server's, in ms: 0 for less than a minute, because the header has whole
 * seconds. Null: answers of other origins may not show it.
 */
export function offsetOf({ headers }: Response): number | null {
  const date = Date.parse(headers.get('date') ?? '');
  if (Number.isNaN(date)) return null;
  const offset = date - Date.now();
  return Math.abs(offset) > 60_000 ? offset : 0;
}

async function read(response: Response): Promise<unknown> {
  if (response.status === 401) throw new RequestError('auth', 'unauthenticated');
  if (response.status >= 500) throw new RequestError('network', null);
  const body: unknown = await response.json().catch((cause: unknown) => {
    // A page of a proxy, or of another server.
    throw new RequestError('incompatible', null, { cause });
  });
  if (response.ok) return body;
  if (!isProblem(body)) throw new RequestError('incompatible', null);
  throw new RequestError('refused', body.code);
}

export function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'code' in value && 'status' in value;
}
