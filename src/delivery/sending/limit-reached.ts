import type { Channel } from '../../contracts/channels.js';
import { Problem } from '../../platform/errors/problem.js';
import type { LimitReason } from '../dispatch/limits.js';

/** A limit that a direct call would exceed. */
export interface ReachedLimit {
  reason: LimitReason;
  channel: Channel;
  limit: number;
  left: number;
  wanted: number;
  /** When there is room for all of `wanted`; null: never. */
  opens_at: Date | null;
  now: Date;
  /** The limit per user, of the caller: the messages that they send directly. */
  caller?: boolean;
}

const WHAT: Readonly<Record<LimitReason, string>> = {
  limit_per_user_per_hour: 'to one recipient in 1 hour',
  limit_per_user_per_day: 'to one recipient in 1 day',
  limit_per_tenant_per_hour: 'of the tenant in 1 hour',
  limit_per_tenant_per_day: 'of the tenant in 1 day',
  limit_per_channel_per_minute: 'in 1 minute in total',
};

const CALLERS: Partial<Record<LimitReason, string>> = {
  limit_per_user_per_hour: 'with send_now in 1 hour',
  limit_per_user_per_day: 'with send_now in 1 day',
};

/**
 * The answer: which limit, how much of it is left, and when it has room, with the headers of the request limits
 * (draft-ietf-httpapi-ratelimit-headers-02). If there is never room, there is no Retry-After.
 */
export function limitReached({
  reason,
  channel,
  limit,
  left,
  wanted,
  opens_at,
  now,
  caller,
}: ReachedLimit): Problem {
  const what = (caller === true ? CALLERS[reason] : undefined) ?? WHAT[reason];
  const rule = `at most ${limit} ${what} on the channel ${channel} (${reason})`;
  const headers = { 'ratelimit-limit': String(limit), 'ratelimit-remaining': String(left) };
  if (opens_at === null || wanted > limit) {
    return new Problem('limit_reached', `${rule}; this message has ${wanted} recipients`, { headers });
  }
  const seconds = String(Math.max(1, Math.ceil((opens_at.getTime() - now.getTime()) / 1_000)));
  return new Problem('limit_reached', `${rule}; there is room at ${opens_at.toISOString()}`, {
    headers: { ...headers, 'ratelimit-reset': seconds, 'retry-after': seconds },
  });
}
