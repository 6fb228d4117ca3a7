import type { ApiClient } from '../client/api-client.js';
import { RequestError } from '../client/rest.js';
import type { Me } from './context.js';

export interface Credentials {
  email: string;
  password: string;
  tenant?: string;
}

/** The server has signed somebody in, and the browser has not kept the cookie. */
export class CookieRefused extends Error {
  override readonly name = 'CookieRefused';
  /** Its sentence is among the words of the frame. */
  readonly code = 'cookie_refused';
}

/** Who is signed in: the cookie of this server, which no script can read. */
export class Session {
  private isEnded = false;

  /** @param onExpired called once when the server no longer knows the session. */
  constructor(
    private readonly api: ApiClient,
    private readonly onExpired: () => void,
  ) {}

  get isExpired(): boolean {
    return this.isEnded;
  }

  /** @returns null: nobody is signed in. @throws RequestError */
  async load(): Promise<Me | null> {
    try {
      const owner = await this.api.get('/api/v1/auth/session');
      if (owner.kind === 'operator') return operator(owner.id);
      const { id, role, name, email, tenant, locale, time_zone } = await this.api.get('/api/v1/me');
      return { id, role, name, email, tenant, locale, time_zone };
    } catch (error) {
      if (error instanceof RequestError && error.reason === 'auth') return null;
      throw error;
    }
  }

  /** @returns the id of whose cookie this browser has; null: it has none that is valid. @throws RequestError */
  async owner(): Promise<string | null> {
    try {
      return (await this.api.get('/api/v1/auth/session')).id;
    } catch (error) {
      if (error instanceof RequestError && error.reason === 'auth') return null;
      throw error;
    }
  }

  /**
   * @returns the id of who has signed in.
   * @throws RequestError invalid_credentials, too_many_attempts
   * @throws CookieRefused the browser blocks cookies
   */
  async signIn(body: Credentials): Promise<string> {
    const { id } = await this.api.post('/api/v1/auth/session', { body });
    if ((await this.owner()) === null) throw new CookieRefused();
    this.resume();
    return id;
  }

  /** The session goes on: its owner has signed in again, here or in another tab. */
  resume(): void {
    this.isEnded = false;
  }

  /** @throws RequestError */
  async signOut(): Promise<void> {
    await this.api.delete('/api/v1/auth/session');
  }

  /** A request was refused because there is no session. */
  expire(): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.onExpired();
  }
}

function operator(id: string): Me {
  return { id, role: 'operator', name: null, email: null, tenant: null, locale: null, time_zone: null };
}
