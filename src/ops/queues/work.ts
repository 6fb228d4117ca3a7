/** All queues with the same kind of work. */
export const WORK = ['deliveries', 'runs'] as const;
export type Work = (typeof WORK)[number];
