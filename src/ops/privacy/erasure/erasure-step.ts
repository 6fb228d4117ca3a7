import type { TenantTransaction } from '../../../platform/database/transaction.js';
import type { ErasureWait, RunningErasure } from './erasure.js';

/** What a part of a step has done, in its transaction. */
export type StepResult =
  /** `position`: where the next part goes on; null: the step is done. */
  | { position: string[] | null; counts?: Readonly<Record<string, number>>; unreadable?: string }
  | { wait: ErasureWait };

/**
 * One step of an erasure, done in parts. Each part and its position are committed together, so that a killed process
 * loses nothing and repeats at most what was not committed.
 */
export interface ErasureStep {
  /** Stored. */
  name: string;
  part: (tx: TenantTransaction, erasure: RunningErasure) => Promise<StepResult>;
}
