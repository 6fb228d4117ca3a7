import type { Clock } from '../../../platform/clock/clock.js';
import { exchange, jsonFields, type ProviderAnswer, retryAfter } from '../request.js';
import { type ChannelFault, SendError, type SendFailure, type SendLease } from '../sender.js';
import type { GoogleLogin } from './google-login.js';
import type { OutgoingPush, PushService } from './push-service.js';

interface AppToken {
  platform: 'fcm';
  token: string;
}

/** Apps on Android and iOS, by Firebase Cloud Messaging: https://firebase.google.com/docs/reference/fcm/rest/v1 */
export class Fcm implements PushService<AppToken> {
  /** @param baseUrl `https://fcm.googleapis.com` */
  constructor(
    private readonly projectId: string,
    private readonly login: GoogleLogin,
    private readonly clock: Clock,
    private readonly baseUrl: string,
  ) {}

  async send(push: OutgoingPush, { token }: AppToken, lease: SendLease): Promise<string | null> {
    const answer = await this.ask({ message: { token, ...messageOf(push) } }, lease);
    if (answer.status !== 200) throw this.refused(answer);
    const { name } = jsonFields(answer.body);
    return typeof name === 'string' ? name.slice(0, 200) : null;
  }

  /** Logs in, and lets FCM check a message to a device that does not exist, which sends nothing. */
  async verify(): Promise<void> {
    const message = { topic: 'vigie-connection-test', notification: { title: 'Test' } };
    const answer = await this.ask({ validate_only: true, message }, null);
    if (answer.status !== 200) throw this.refused(answer);
  }

  private async ask(body: object, lease: SendLease | null): Promise<ProviderAnswer> {
    const answer = await this.post(body, lease);
    // An access token may be revoked before it expires.
    if (answer.status !== 401 || errorOf(answer).code === 'THIRD_PARTY_AUTH_ERROR') return answer;
    this.login.forget();
    return this.post(body, lease);
  }

  private async post(body: object, lease: SendLease | null): Promise<ProviderAnswer> {
    const access = await this.login.accessToken(lease);
    return exchange(
      {
        method: 'POST',
        url: new URL(`${this.baseUrl}/v1/projects/${encodeURIComponent(this.projectId)}/messages:send`),
        headers: { authorization: `Bearer ${access}`, 'content-type': 'application/json; charset=utf-8' },
        body: JSON.stringify(body),
      },
      lease,
    );
  }

  private refused(answer: ProviderAnswer): SendError {
    const { code, message } = errorOf(answer);
    const { failure, cause, address_stopped, with_message } = verdictOf(answer.status, code);
    return new SendError(
      failure,
      `FCM: ${message ?? `HTTP ${answer.status}`}`,
      retryAfter(answer.headers['retry-after'], this.clock.now().getTime()),
      cause,
      with_message,
      `${answer.status}${code === null ? '' : ` ${code}`}`,
      address_stopped,
    );
  }
}

function messageOf({ id, title, body, data, urgent }: OutgoingPush): object {
  return {
    notification: { title, body },
    data,
    android: { priority: urgent ? 'HIGH' : 'NORMAL', notification: { tag: id } },
    apns: { headers: { 'apns-collapse-id': id, 'apns-priority': urgent ? '10' : '5' } },
  };
}

interface Verdict {
  failure: SendFailure;
  cause?: ChannelFault;
  address_stopped?: boolean;
  with_message?: boolean;
}

/** The quota of the project, or of the device: the channel is down only if others are refused too. */
const QUOTA: Verdict = { failure: 'channel', cause: 'quota', with_message: true };

/** By FCM's error code, else the HTTP status: https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode */
function verdictOf(status: number, code: string | null): Verdict {
  switch (code) {
    case 'UNREGISTERED':
    case 'SENDER_ID_MISMATCH':
      return { failure: 'permanent', address_stopped: true };
    case 'QUOTA_EXCEEDED':
      return QUOTA;
    case 'UNAVAILABLE':
      return { failure: 'retryable' };
    case 'THIRD_PARTY_AUTH_ERROR':
      return { failure: 'channel', cause: 'misconfigured' };
  }
  if (status === 401) return { failure: 'channel', cause: 'login' };
  if (status === 403) return { failure: 'channel', cause: 'policy' };
  // The project does not exist; an unknown device is UNREGISTERED.
  if (status === 404 || (status >= 300 && status < 400))
    return { failure: 'channel', cause: 'misconfigured' };
  if (status === 429) return QUOTA;
  if (status === 503) return { failure: 'retryable' };
  return { failure: status >= 500 ? 'ambiguous' : 'permanent' };
}

/** The error of an answer: FCM's own code is in its details. */
function errorOf({ body }: ProviderAnswer): { code: string | null; message: string | null } {
  const { error } = jsonFields(body);
  if (typeof error !== 'object' || error === null) return { code: null, message: null };
  const { details, message } = error as { details?: unknown; message?: unknown };
  const codes = Array.isArray(details)
    ? details.map((detail: { errorCode?: unknown } | null) => detail?.errorCode)
    : [];
  return {
    code: codes.find((code) => typeof code === 'string') ?? null,
    message: typeof message === 'string' ? message : null,
  };
}
