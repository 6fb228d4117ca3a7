/** Whether one person's waiting notifications leave as one message, or separately. */
export const BUNDLINGS = ['together', 'single'] as const;
export type Bundling = (typeof BUNDLINGS)[number];
