import type { GetToken } from './types.js';

/** Tokens in a row that the server may refuse, or `getToken` may fail to give, before a person has to sign in. */
const MAX_REFUSALS = 3;
const GET_TOKEN_TIMEOUT_MS = 15_000;

/** There is no token now: `getToken` failed, or too many tokens were refused. */
export class NoToken extends Error {
  override readonly name = 'NoToken';
}

/**
 * The access token that requests and the live connection share. Asks the page for one only if there is none, or the
 * server refused the last one; callers at the same time share one call.
 */
export class Tokens {
  private token: string | null = null;
  private asking: Promise<string> | null = null;
  private refusals = 0;
  private subject: string | null = null;

  /**
   * @param getToken null: the page is one of this server, whose cookie is sent instead; the token is then empty.
   * @param onExhausted called when the last allowed token was refused.
   * @param onOtherUser called when a token is another user's than the last one.
   */
  constructor(
    private readonly getToken: GetToken | null,
    private readonly onExhausted: () => void,
    private readonly onOtherUser: () => void = () => undefined,
  ) {}

  /** Whether the session is the cookie of this server. */
  get areCookies(): boolean {
    return this.getToken === null;
  }

  get areExhausted(): boolean {
    return this.refusals >= MAX_REFUSALS;
  }

  /** Whether one more token may be tried at once: only after the first refusal, others wait for the back-off. */
  get mayRetryNow(): boolean {
    return this.refusals <= 1;
  }

  /** @throws NoToken */
  async get(): Promise<string> {
    if (this.areExhausted) throw new NoToken('sign in again');
    if (this.token !== null) return this.token;
    if (this.getToken === null) return (this.token = '');
    this.asking ??= this.ask(this.getToken).finally(() => {
      this.asking = null;
    });
    return this.asking;
  }

  /** The server refused this token. A refusal of an older one says nothing about the current one. */
  refused(token: string): void {
    if (token !== this.token) return;
    this.token = null;
    this.countRefusal();
  }

  accepted(token: string): void {
    if (token === this.token) this.refusals = 0;
  }

  /** The server ended the session of this token: if it is the current one, the next call asks for another. */
  expired(token: string): void {
    if (token === this.token) this.token = null;
  }

  /** A person signed in again. */
  reset(): void {
    this.token = null;
    this.refusals = 0;
  }

  private async ask(getToken: GetToken): Promise<string> {
    let token: unknown;
    try {
      token = await withTimeout(Promise.resolve().then(getToken), GET_TOKEN_TIMEOUT_MS);
    } catch (cause) {
      this.countRefusal();
      throw new NoToken('getToken failed', { cause });
    }
    if (typeof token !== 'string' || token === '') {
      this.countRefusal();
      throw new NoToken('getToken returned no token');
    }
    this.token = token;
    const subject = subjectOf(token);
    if (subject === null) return token;
    const isOther = this.subject !== null && this.subject !== subject;
    this.subject = subject;
    if (isOther) this.onOtherUser();
    return token;
  }

  private countRefusal(): void {
    // Only a person can renew a cookie.
    this.refusals = this.getToken === null ? MAX_REFUSALS : this.refusals + 1;
    if (this.refusals === MAX_REFUSALS) this.onExhausted();
  }
}

/**
 * Whose token this is, to keep tabs of two users apart; null if it cannot be read. Only the server verifies tokens.
 */
export function subjectOf(token: string): string | null {
  try {
    const payload = token.split('.')[1] ?? '';
    const claims: unknown = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')));
    if (typeof claims !== 'object' || claims === null) return null;
    const { iss, sub, tenant_id } = claims as Record<string, unknown>;
    return typeof sub === 'string' ? JSON.stringify([iss, tenant_id, sub]) : null;
  } catch {
    return null;
  }
}

function withTimeout<Value>(promise: Promise<Value>, ms: number): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
