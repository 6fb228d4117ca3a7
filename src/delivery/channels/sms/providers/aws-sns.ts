import { Readable } from 'node:stream';
import type { SNSClient } from '@aws-sdk/client-sns';
import { exchange } from '../../request.js';
import { type ChannelFault, SendError, type SendFailure, type SendLease } from '../../sender.js';
import type { OutgoingSms, SmsProvider } from '../sms-provider.js';

/** Amazon SNS in one region. */
export interface SnsSettings {
  region: string;
  /** Null: the SDK's own sources, such as the role of the machine. */
  credentials: { access_key_id: string; secret_access_key: string } | null;
  /** Up to 11 letters and digits, where the country supports it; null: a number of AWS. */
  sender_id: string | null;
  /** Another endpoint than the region's; null: the region's. */
  endpoint: string | null;
}

/** Sends by Amazon SNS: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html */
export class SnsSms implements SmsProvider {
  private client: Promise<SNSClient> | null = null;

  constructor(private readonly settings: SnsSettings) {}

  async send({ to, text }: OutgoingSms, lease: SendLease): Promise<string | null> {
    const { sender_id } = this.settings;
    const { PublishCommand } = await import('@aws-sdk/client-sns');
    const command = new PublishCommand({
      PhoneNumber: to,
      Message: text,
      MessageAttributes: {
        // Transactional: delivered before promotional ones, and at any hour.
        'AWS.SNS.SMS.SMSType': { DataType: 'String', StringValue: 'Transactional' },
        ...(sender_id !== null && { 'AWS.SNS.SMS.SenderID': { DataType: 'String', StringValue: sender_id } }),
      },
    });
    try {
      const { MessageId } = await (await this.connected()).send(command, { abortSignal: lease.signal });
      return MessageId ?? null;
    } catch (error) {
      throw sendError(error);
    }
  }

  /** Reads the account's settings for text messages; a login that may not read them still proves that it works. */
  async verify(): Promise<void> {
    const { GetSMSAttributesCommand } = await import('@aws-sdk/client-sns');
    try {
      await (await this.connected()).send(new GetSMSAttributesCommand({}));
    } catch (error) {
      if (nameOf(error) !== 'AuthorizationErrorException') throw sendError(error);
    }
  }

  /** The SDK takes 5 MB: loaded with the first message. */
  private connected(): Promise<SNSClient> {
    this.client ??= this.connect();
    return this.client;
  }

  private async connect(): Promise<SNSClient> {
    const { SNSClient } = await import('@aws-sdk/client-sns');
    const { region, credentials, endpoint } = this.settings;
    return new SNSClient({
      region,
      ...(credentials !== null && {
        credentials: {
          accessKeyId: credentials.access_key_id,
          secretAccessKey: credentials.secret_access_key,
        },
      }),
      ...(endpoint !== null && { endpoint }),
      // The SDK would repeat requests that may have been accepted.
      maxAttempts: 1,
      requestHandler: TRANSPORT,
    });
  }
}

/** Sends signed requests like those of the other providers, so that the same failures are ambiguous. */
const TRANSPORT = {
  async handle(request: SignedRequest, options?: { abortSignal?: AbortSignal }) {
    const { protocol, hostname, port, path, method, headers, body } = request;
    const signal = options?.abortSignal ?? null;
    const answer = await exchange(
      {
        method: method === 'GET' ? 'GET' : 'POST',
        url: new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`),
        headers,
        body: typeof body === 'string' ? body : '',
      },
      signal === null ? null : { signal, isValid: () => !signal.aborted },
    );
    const named = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
    const response = {
      statusCode: answer.status,
      headers: Object.fromEntries(named) as Record<string, string>,
      body: Readable.from([Buffer.from(answer.body)]),
    };
    return { response };
  },
  updateHttpClientConfig: () => undefined,
  httpHandlerConfigs: () => ({}),
};

/** The part of the SDK's requests that is sent. */
interface SignedRequest {
  protocol: string;
  hostname: string;
  port?: number;
  path: string;
  method: string;
  headers: Record<string, string>;
  body?: unknown;
}

interface Verdict {
  failure: SendFailure;
  cause?: ChannelFault;
  address_stopped?: boolean;
}

const LOGIN: Verdict = { failure: 'channel', cause: 'login' };
const QUOTA: Verdict = { failure: 'channel', cause: 'quota' };

/** By the error's name: https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html and those of Publish. */
const VERDICTS: ReadonlyMap<string, Verdict> = new Map<string, Verdict>([
  ['AuthorizationErrorException', { failure: 'channel', cause: 'policy' }],
  ['AccessDeniedException', { failure: 'channel', cause: 'policy' }],
  ['InvalidClientTokenId', LOGIN],
  ['UnrecognizedClientException', LOGIN],
  ['SignatureDoesNotMatch', LOGIN],
  ['ExpiredToken', LOGIN],
  ['CredentialsProviderError', LOGIN],
  ['OptInRequired', { failure: 'channel', cause: 'policy' }],
  ['EndpointDisabledException', { failure: 'channel', cause: 'policy' }],
  ['InvalidSecurityException', { failure: 'channel', cause: 'policy' }],
  ['ThrottledException', QUOTA],
  ['Throttling', QUOTA],
  ['ThrottlingException', QUOTA],
  ['ServiceUnavailable', { failure: 'retryable' }],
  ['OptedOutException', { failure: 'permanent', address_stopped: true }],
]);

function sendError(error: unknown): SendError {
  if (error instanceof SendError) return error;
  const name = nameOf(error);
  const status = statusOf(error);
  const { failure, cause, address_stopped } = VERDICTS.get(name) ?? byStatus(status);
  const words = error instanceof Error ? error.message : String(error);
  const code = status === null ? name : `${status} ${name}`;
  return new SendError(failure, `Amazon SNS: ${words}`, undefined, cause, false, code, address_stopped);
}

/** SNS names a wrong number or text with a 400; after a 500 the message may have been accepted. */
function byStatus(status: number | null): Verdict {
  if (status === null) return { failure: 'channel', cause: 'misconfigured' };
  if (status === 429) return QUOTA;
  if (status === 503) return { failure: 'retryable' };
  if (status === 401 || status === 403) return LOGIN;
  return { failure: status >= 500 ? 'ambiguous' : 'permanent' };
}

/** SNS answers `OptedOut` and the like by their code, the SDK names them `OptedOutException`. */
function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

function statusOf(error: unknown): number | null {
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  return $metadata?.httpStatusCode ?? null;
}
