/** Whether what waits for one person leaves as one message, or as one each. */
export const BUNDLINGS = ['together', 'single'] as const;
export type Bundling = (typeof BUNDLINGS)[number];
