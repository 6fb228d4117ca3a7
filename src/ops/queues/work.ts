/** The kinds of work: of all channels, or of all scheduled jobs. */
export const WORK = ['deliveries', 'runs'] as const;
export type Work = (typeof WORK)[number];
