/** An answer of the API that was not a 2xx. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    /** The problem's detail, else its title; empty if the response was not a problem. */
    readonly detail: string,
  ) {
    super(message);
  }
}

/** A client of a server's REST API: fetch, JSON, a token or a key. */
export class Api {
  constructor(
    private readonly base: string,
    private readonly credentials: Readonly<Record<string, string>> = {},
  ) {}

  /** The same server, logged in. */
  withToken(token: string): Api {
    return new Api(this.base, { authorization: `Bearer ${token}` });
  }

  /** The same server, with an API key. */
  withKey(key: string): Api {
    return new Api(this.base, { 'x-api-key': key });
  }

  /**
   * @returns the body of a 2xx; the caller names its type.
   * @throws ApiError with the problem's title and details otherwise, and after 60 s.
   */
  async call<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    return body === undefined
      ? this.request(method, path)
      : this.request(method, path, { type: 'application/json', text: JSON.stringify(body) });
  }

  /** Posts a file. @throws as `call`. */
  async upload<Body>(path: string, type: string, text: string): Promise<Body> {
    return this.request('POST', path, { type, text });
  }

  private async request<Body>(
    method: string,
    path: string,
    content?: { type: string; text: string },
  ): Promise<Body> {
    const response = await fetch(`${this.base}/api/v1/${path}`, {
      method,
      headers: { ...this.credentials, ...(content === undefined ? {} : { 'content-type': content.type }) },
      ...(content === undefined ? {} : { body: content.text }),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    if (!response.ok) {
      throw new ApiError(
        `${method} ${path} answered ${response.status}: ${text}`,
        response.status,
        detailOf(text),
      );
    }
    return (text === '' ? undefined : JSON.parse(text)) as Body;
  }

  /** Whether the server reports that it is ready. */
  async isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.base}/readyz`, { signal: AbortSignal.timeout(2_000) })).ok;
    } catch {
      return false;
    }
  }
}

function detailOf(text: string): string {
  try {
    const { detail, title } = JSON.parse(text) as { detail?: unknown; title?: unknown };
    return [detail, title].find((words) => typeof words === 'string') ?? '';
  } catch {
    // Perhaps a proxy's page: ignore it.
    return '';
  }
}
