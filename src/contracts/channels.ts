/** The channels to people, besides the feed: the ones of preferences and direct messages. */
export const PEOPLE_CHANNELS = ['email', 'sms', 'push'] as const;
export type PeopleChannel = (typeof PEOPLE_CHANNELS)[number];

/** All channels: to people, and to programs. Literal strings, because they are stored. */
export const CHANNELS = [...PEOPLE_CHANNELS, 'webhook'] as const;
export type Channel = (typeof CHANNELS)[number];
