/** The ways out to people, besides the feed. Written strings: they are stored. */
export const CHANNELS = ['email'] as const;
export type Channel = (typeof CHANNELS)[number];
