import { ValidateBy } from 'class-validator';
import { isCivilDate } from '../clock/civil-time.js';
import { FIRST_YEAR, isInSaneYear, LAST_YEAR } from './civil-date.js';

/** RFC 3339 §5.6, seconds optional. */
const INSTANT =
  /^(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** Whether `text` is an instant with a UTC offset: without one it would differ between machines. */
export function isInstant(text: string): boolean {
  const date = INSTANT.exec(text)?.[1];
  return date !== undefined && isCivilDate(date) && isInSaneYear(date);
}

/** The one rule for instants in requests, such as 2026-03-30T02:10:00Z. */
export function Instant(): PropertyDecorator {
  return ValidateBy({
    name: 'instant',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && isInstant(value),
      defaultMessage: () =>
        `$property must be an instant with its offset from UTC, such as 2026-03-30T02:10:00Z, from ${FIRST_YEAR} to ${LAST_YEAR}`,
    },
  });
}
