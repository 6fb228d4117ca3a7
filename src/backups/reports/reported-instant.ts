import { isCivilDate } from '../../platform/clock/civil-time.js';

const INSTANT =
  /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?) ?(?:([Zz]|UTC)|([+-]\d\d):?(\d\d))?$/;

/**
 * An instant of this century in an agent's format, as ISO 8601 in UTC; null for anything else. The names of the fields
 * end with `_utc`, so an instant without an offset is UTC. Older agents write a space for `T`, and `+0000`.
 */
export function reportedInstant(text: string): string | null {
  const [, date = '', time = '', , hours, minutes = ''] = INSTANT.exec(text) ?? [];
  if (date < '2000' || !isCivilDate(date)) return null;
  const at = Date.parse(`${date}T${time}${hours === undefined ? 'Z' : `${hours}:${minutes}`}`);
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}
