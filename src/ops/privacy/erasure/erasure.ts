/** Whom an erasure is about, until it is done. */
export interface ErasedPerson {
  /** Null: not searched for in texts, because others have it, or because it is one word. */
  name: string | null;
  /** E-mail addresses, also previous ones, and phone numbers; in lower case. */
  addresses: string[];
  /** `user:<id>`, `mailto:<address>`, `tel:<number>`. */
  recipients: string[];
}

export const ERASURE_STATES = ['running', 'succeeded'] as const;

/**
 * `sending`: messages are being sent, whose outcomes will have their texts. `cleanup`: the cleanup is writing archives.
 * `locks`: others hold rows for long. `failure`: a step failed and is tried again; the log says why.
 */
export const ERASURE_WAITS = ['sending', 'cleanup', 'locks', 'failure'] as const;
export type ErasureWait = (typeof ERASURE_WAITS)[number];

/** An erasure, and how far it is. No name and no address. */
export interface Erasure {
  id: string;
  state: (typeof ERASURE_STATES)[number];
  /** Null: an address of no user. */
  user_id: string | null;
  requested_by: string;
  /** The step that is next; null before the first and after the last. */
  step: string | null;
  waiting_for: ErasureWait | null;
  /** Rows by table, and archives. */
  counts: Record<string, number>;
  /** Paths of archives that could not be read, with the reason. */
  unreadable_archives: string[];
  created_at: Date;
  finished_at: Date | null;
}

/** A running one, as its steps see it. */
export interface RunningErasure extends Erasure {
  subject: ErasedPerson;
  /** Where the step goes on; null at its beginning. */
  position: string[] | null;
}

/** The columns of an `Erasure`. */
export const ERASURE_COLUMNS = `id, state, user_id, requested_by, step, waiting_for, counts, unreadable_archives,
  created_at, finished_at`;
