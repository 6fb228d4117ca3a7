import createClient, { type FetchResponse, type MaybeOptionalInit } from 'openapi-fetch';
import type { HttpMethod, PathsWithMethod } from 'openapi-typescript-helpers';
import type { paths } from './api.js';
import { isProblem, offsetOf, RequestError } from './rest.js';

/** A server that answers later counts as unreachable. Uploads set their own `signal`. */
const TIMEOUT_MS = 15_000;

type Init<Path extends keyof paths, Method extends HttpMethod> = Method extends keyof paths[Path]
  ? MaybeOptionalInit<paths[Path], Method>
  : never;

/** Requests that change nothing that pages show: they compute, or sign in and out. */
const UNSEEN = /\/(preview|columns|session)$/;

/** The answer of a route, from /openapi.json. */
type Answer<Path extends keyof paths, Method extends HttpMethod, Options> = Method extends keyof paths[Path]
  ? paths[Path][Method] extends Record<string | number, unknown>
    ? NonNullable<FetchResponse<paths[Path][Method], Options, 'application/json'>['data']>
    : never
  : never;

/** Optional for a route that requires nothing. */
type InitParam<Options> = undefined extends Options ? [options?: Options] : [options: Options];

export interface ApiEvents {
  /** The server answered. */
  onAnswer?: () => void;
  /** The server did not answer. */
  onNoAnswer?: () => void;
  /** The session has ended. */
  onUnauthenticated?: () => void;
  /** The server has changed something for this page. */
  onChange?: () => void;
}

/**
 * The REST API for pages of this server, typed by /openapi.json: `await api.get('/api/v1/tasks', { params: { query } })`.
 * The session is the cookie. Each method throws RequestError.
 */
export class ApiClient {
  private readonly client;
  /** How far this machine's clock is behind the server's, in ms; 0 until an answer shows it. */
  private clockOffsetMs = 0;

  constructor(
    private readonly events: ApiEvents = {},
    server = '',
  ) {
    this.client = createClient<paths>({ baseUrl: server, credentials: 'same-origin' });
  }

  get<Path extends PathsWithMethod<paths, 'get'>, Options extends Init<Path, 'get'>>(
    path: Path,
    ...options: InitParam<Options>
  ): Promise<Answer<Path, 'get', Options>> {
    return this.call('get', path, options);
  }

  post<Path extends PathsWithMethod<paths, 'post'>, Options extends Init<Path, 'post'>>(
    path: Path,
    ...options: InitParam<Options>
  ): Promise<Answer<Path, 'post', Options>> {
    return this.call('post', path, options);
  }

  put<Path extends PathsWithMethod<paths, 'put'>, Options extends Init<Path, 'put'>>(
    path: Path,
    ...options: InitParam<Options>
  ): Promise<Answer<Path, 'put', Options>> {
    return this.call('put', path, options);
  }

  patch<Path extends PathsWithMethod<paths, 'patch'>, Options extends Init<Path, 'patch'>>(
    path: Path,
    ...options: InitParam<Options>
  ): Promise<Answer<Path, 'patch', Options>> {
    return this.call('patch', path, options);
  }

  delete<Path extends PathsWithMethod<paths, 'delete'>, Options extends Init<Path, 'delete'>>(
    path: Path,
    ...options: InitParam<Options>
  ): Promise<Answer<Path, 'delete', Options>> {
    return this.call('delete', path, options);
  }

  /** The server's time, in ms: this machine's clock may be wrong. */
  now(): number {
    return Date.now() + this.clockOffsetMs;
  }

  private async call<Data>(
    method: HttpMethod,
    path: string,
    [options]: readonly [options?: object | undefined],
  ): Promise<Data> {
    const request = this.client.request as (
      method: HttpMethod,
      path: string,
      options: object,
    ) => Promise<{ data?: unknown; error?: unknown; response: Response }>;
    const { data, error, response } = await request(method, path, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...options,
    }).catch((cause: unknown) => {
      if (!(cause instanceof SyntaxError) && !isAborted(cause)) this.events.onNoAnswer?.();
      // An error page of a proxy is not JSON.
      throw new RequestError(cause instanceof SyntaxError ? 'incompatible' : 'network', null, { cause });
    });
    this.clockOffsetMs = offsetOf(response) ?? this.clockOffsetMs;
    this.events.onAnswer?.();
    if (response.ok) {
      if (method !== 'get' && !UNSEEN.test(path)) this.events.onChange?.();
      return data as Data;
    }
    throw this.errorOf(response, error);
  }

  private errorOf({ status }: Response, problem: unknown): RequestError {
    if (!isProblem(problem)) return new RequestError(status >= 500 ? 'network' : 'incompatible', null);
    if (problem.code === 'unauthenticated') this.events.onUnauthenticated?.();
    return new RequestError(status === 401 ? 'auth' : status >= 500 ? 'network' : 'refused', problem.code, {
      problem,
    });
  }
}

/** The page itself ended the request, which says nothing about the server. */
function isAborted(cause: unknown): boolean {
  return cause instanceof DOMException && cause.name === 'AbortError';
}
