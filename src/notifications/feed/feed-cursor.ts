/** The last change that a client has, in order of seq and id. */
export interface FeedCursor {
  seq: number;
  id: string;
}

/** Sorts after every notification of its seq. */
export const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** Reads a view's `cursor`; null if it is invalid. */
export function readFeedCursor(text: unknown): FeedCursor | null {
  if (typeof text !== 'string') return null;
  const [, seq, id] = /^(\d{1,15})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(text) ?? [];
  return seq === undefined || id === undefined ? null : { seq: Number(seq), id };
}
