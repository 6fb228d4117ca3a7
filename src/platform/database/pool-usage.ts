/** How busy a pool is. */
export interface PoolUsage {
  in_use: number;
  idle: number;
  /** Callers that wait for a connection. */
  waiting: number;
}

/** What the driver's pool counts. */
interface PoolCounts {
  totalCount: number;
  idleCount: number;
  waitingCount: number;
}

export function usageOf({ totalCount, idleCount, waitingCount }: PoolCounts): PoolUsage {
  return { in_use: totalCount - idleCount, idle: idleCount, waiting: waitingCount };
}
