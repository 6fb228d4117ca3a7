import { printable } from '../../../../platform/http/text.js';
import type { CallFault } from '../calls/call-error.js';
import type { Verdict } from '../calls/verdict.js';
import type { Call } from '../calls/webhook-caller.js';

/** Longest kept error, and part of an answer, in characters. */
const MAX_KEPT = 500;

/** The result of a call, as it is stored and shown. */
export interface CallResult {
  delivered: boolean;
  status: number | null;
  duration_ms: number;
  fault: CallFault | null;
  error: string | null;
  answer: string | null;
  at: Date;
}

export function resultOf({ duration_ms, reply, error }: Call, verdict: Verdict, at: Date): CallResult {
  return {
    delivered: verdict.delivered,
    status: reply?.status ?? null,
    duration_ms,
    fault: error?.fault ?? null,
    error: verdict.delivered ? null : verdict.error.slice(0, MAX_KEPT),
    answer: reply === null ? null : printable(reply.body.slice(0, MAX_KEPT)),
    at,
  };
}
