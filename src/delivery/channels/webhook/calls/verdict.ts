import { printable } from '../../../../platform/http/text.js';
import type { SendFailure } from '../../sender.js';
import type { EndpointFormat } from '../endpoints/endpoint.js';
import { CallError } from './call-error.js';
import type { Reply } from './post.js';
import type { Call } from './webhook-caller.js';

/** What an answer means. */
export type Verdict =
  | { delivered: true }
  | {
      delivered: false;
      failure: Exclude<SendFailure, 'channel'>;
      /** A sentence for people. */
      error: string;
      retry_after_ms?: number;
      /** The receiver no longer exists: do not call it again. */
      gone: boolean;
    };

/** Longest part of an answer in an error, in characters. */
const MAX_QUOTED = 100;
/** The longest accepted Retry-After; longer ones are cut. */
const MAX_RETRY_AFTER_MS = 24 * 60 * 60 * 1_000;

/**
 * Slack's errors of incoming webhooks that a retry cannot fix: the webhook, its app or its workspace is gone.
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
 */
const SLACK_GONE = [
  'no_service',
  'no_service_id',
  'no_active_hooks',
  'no_team',
  'team_disabled',
  'invalid_token',
];
/** Slack's errors about the message. */
const SLACK_MESSAGE = ['invalid_payload', 'no_text', 'too_many_attachments', 'user_not_found'];

/**
 * Judges an answer. Standard Webhooks: a 2xx is success, 410 means that the receiver is gone, everything else
 * is retried on the schedule: a 401 or 404 is often a deployment. A redirect is not followed: it could lead
 * anywhere.
 */
export function verdictOf(format: EndpointFormat, { status, retry_after, body }: Reply, now: Date): Verdict {
  if (status >= 200 && status < 300) return { delivered: true };
  const words = quoted(body);
  const error = `The endpoint answered ${status}${words === '' ? '' : `: ${words}`}`;
  if (status >= 300 && status < 400)
    return {
      delivered: false,
      failure: 'permanent',
      error: `The endpoint answered ${status}, a redirect, which is not followed: set its final URL`,
      gone: false,
    };
  const slack = format === 'slack' ? body.trim() : '';
  if (SLACK_GONE.includes(slack) || (status === 410 && format === 'standard'))
    return { delivered: false, failure: 'permanent', error, gone: true };
  if (SLACK_MESSAGE.includes(slack)) return { delivered: false, failure: 'permanent', error, gone: false };
  const wait = status === 429 || status === 503 ? retryAfter(retry_after, now) : null;
  return {
    delivered: false,
    failure: 'retryable',
    error,
    gone: false,
    ...(wait === null ? {} : { retry_after_ms: wait }),
  };
}

/** Without an answer: ambiguous if the receiver may have got the request. */
export function verdictOfCall(format: EndpointFormat, { reply, error }: Call, now: Date): Verdict {
  if (reply !== null) return verdictOf(format, reply, now);
  const { sent, message } = error ?? new CallError('stopped', 'was not called', false);
  return {
    delivered: false,
    failure: sent ? 'ambiguous' : 'retryable',
    error: `The endpoint ${message}`,
    gone: false,
  };
}

/** RFC 9110 §10.2.3: seconds, or a date. In ms; null if it is neither. */
export function retryAfter(value: string | null, now: Date): number | null {
  if (value === null) return null;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - now.getTime();
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

function quoted(body: string): string {
  return printable(body).replace(/\s+/g, ' ').trim().slice(0, MAX_QUOTED);
}
