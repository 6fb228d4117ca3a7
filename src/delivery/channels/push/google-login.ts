import { importPKCS8, SignJWT } from 'jose';
import type { Clock } from '../../../platform/clock/clock.js';
import { exchange, jsonFields, type ProviderAnswer } from '../request.js';
import { SendError, type SendLease } from '../sender.js';
import type { ServiceAccount } from '../../../platform/config/service-account.js';

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
const ASSERTION_SECONDS = 3_600;
/** Renewed this long before it expires. */
const MARGIN_MS = 60_000;

/**
 * Access tokens of a service account, by a signed assertion (RFC 7523):
 * https://developers.google.com/identity/protocols/oauth2/service-account#httprest
 */
export class GoogleLogin {
  private token: { value: string; until: number } | null = null;
  private pending: Promise<string> | null = null;

  constructor(
    private readonly account: ServiceAccount,
    private readonly clock: Clock,
  ) {}

  /** A valid access token; concurrent callers share one request. @throws SendError: the channel is at fault */
  async accessToken(lease: SendLease | null): Promise<string> {
    if (this.token !== null && this.token.until > this.clock.now().getTime()) return this.token.value;
    this.pending ??= this.request(lease).finally(() => (this.pending = null));
    return this.pending;
  }

  /** The token was refused: the next caller gets a new one. */
  forget(): void {
    this.token = null;
  }

  private async request(lease: SendLease | null): Promise<string> {
    const answer = await this.ask(lease);
    const fields = jsonFields(answer.body);
    const { access_token, expires_in } = fields;
    if (answer.status !== 200 || typeof access_token !== 'string') {
      const words =
        typeof fields.error_description === 'string' ? fields.error_description : `HTTP ${answer.status}`;
      throw new SendError(
        'channel',
        `Google refused the login: ${words}`,
        undefined,
        'login',
        false,
        String(answer.status),
      );
    }
    const lifetime = typeof expires_in === 'number' ? expires_in * 1_000 : 0;
    this.token = { value: access_token, until: this.clock.now().getTime() + lifetime - MARGIN_MS };
    return access_token;
  }

  private async ask(lease: SendLease | null): Promise<ProviderAnswer> {
    const { token_uri } = this.account;
    try {
      return await exchange(
        {
          method: 'POST',
          url: new URL(token_uri),
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams({
            grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
            assertion: await this.assertion(),
          }).toString(),
        },
        lease,
      );
    } catch (error) {
      // Whatever happened to the login, no push was sent.
      if (error instanceof SendError && error.failure === 'ambiguous')
        throw new SendError('channel', error.message, undefined, 'unreachable', false, error.code);
      throw error;
    }
  }

  private async assertion(): Promise<string> {
    const { client_email, private_key, private_key_id, token_uri } = this.account;
    const now = Math.floor(this.clock.now().getTime() / 1_000);
    return new SignJWT({ scope: SCOPE })
      .setProtectedHeader({ alg: 'RS256', kid: private_key_id })
      .setIssuer(client_email)
      .setAudience(token_uri)
      .setIssuedAt(now)
      .setExpirationTime(now + ASSERTION_SECONDS)
      .sign(await importPKCS8(private_key, 'RS256'));
  }
}
