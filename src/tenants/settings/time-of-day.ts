/** HH:mm, in the tenant's zone. */
export const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;
/** The same, or 24:00: the end of a day. */
export const END_TIME = /^(([01]\d|2[0-3]):[0-5]\d|24:00)$/;
export const timeMessage = { message: '$property must be a time of day, HH:mm' };
