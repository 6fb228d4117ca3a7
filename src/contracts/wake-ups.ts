/**
 * Wake-ups between processes, sent after a transaction commits. They carry no data: a process that receives one reads
 * PostgreSQL, and one that misses it catches up in its next round.
 */
export interface WakeUps {
  /** There is something to deliver on this channel. */
  'dispatch.kick': { channel: string };
  /** The feeds of these users have changed. At most 1,000 users a message. */
  'feed.changed': { tenant_id: string; user_ids: string[] };
  /** These users (all of the tenant when absent) may no longer be connected. */
  'access.revoked': { tenant_id: string; user_ids?: string[] };
}
export type WakeUp = keyof WakeUps;
