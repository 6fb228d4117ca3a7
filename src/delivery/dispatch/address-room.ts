import { prepared, type SystemTransaction } from '../../platform/database/transaction.js';
import type { AddressHealth } from '../channels/channels.js';
import type { Message } from './admission.js';

/** For this long a success proves that an address works, in ms. Every 10 s of success are noted. */
const PROVEN_MS = 30_000;
/** All failing addresses together have this part of the concurrent sends, because each probe may take its full time. */
const FAILING_SHARE = 1 / 4;

/** Which addresses may have further messages in flight. */
export interface AddressRoom {
  /** Those that may not. */
  full: readonly string[];
  /** Those of these messages that have room, together. */
  within(messages: readonly Message[]): Message[];
}

/** The room of a channel that is up or down as a whole. */
export const UNBOUNDED: AddressRoom = { full: [], within: (messages) => [...messages] };

/**
 * The room on a channel whose addresses have their own health.
 * @param slots concurrent sends of the live workers
 */
export async function roomOfAddresses(
  tx: SystemTransaction,
  channel: string,
  { most, known }: AddressHealth,
  slots: number,
  now: Date,
): Promise<AddressRoom> {
  const [flying, states] = await Promise.all([
    tx.query<{ address: string; in_flight: number }>(
      prepared(`SELECT address, count(*) AS in_flight FROM deliveries
                WHERE channel = $1 AND state IN ('queued', 'sending') AND leads GROUP BY address`),
      [channel],
    ),
    tx.query<{ address: string; failing: boolean }>(prepared(known), [new Date(now.getTime() - PROVEN_MS)]),
  ]);
  const inFlight = new Map(flying.map(({ address, in_flight }) => [address, in_flight]));
  const failing = new Map(states.map((state) => [state.address, state.failing]));
  const mostFailing = Math.ceil(slots * FAILING_SHARE);
  let failingInFlight = 0;
  for (const [address, count] of inFlight) if (failing.get(address) === true) failingInFlight += count;

  const hasRoom = (address: string): boolean => {
    const fails = failing.get(address);
    if (fails === true && failingInFlight >= mostFailing) return false;
    return (inFlight.get(address) ?? 0) < (fails === false ? most : 1);
  };
  return {
    full: [...new Set([...inFlight.keys(), ...failing.keys()])].filter((address) => !hasRoom(address)),
    within: (messages) =>
      messages.filter(({ lead: { address } }) => {
        if (!hasRoom(address)) return false;
        inFlight.set(address, (inFlight.get(address) ?? 0) + 1);
        if (failing.get(address) === true) failingInFlight += 1;
        return true;
      }),
  };
}
