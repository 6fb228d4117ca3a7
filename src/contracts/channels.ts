/** The channels to people, besides the feed. Literal strings, because they are stored. */
export const CHANNELS = ['email', 'sms', 'push'] as const;
export type Channel = (typeof CHANNELS)[number];
