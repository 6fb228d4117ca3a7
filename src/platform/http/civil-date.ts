import { ValidateBy, type ValidationOptions } from 'class-validator';
import { isCivilDate } from '../clock/civil-time.js';

/** Plausible years: 0026 is a typo for 2026. */
export const FIRST_YEAR = 1900;
export const LAST_YEAR = 2199;

/** Whether a date or instant that starts with a four-digit year is in a plausible year. */
export function isInSaneYear(written: string): boolean {
  const year = Number(written.slice(0, 4));
  return year >= FIRST_YEAR && year <= LAST_YEAR;
}

/** An existing day, written YYYY-MM-DD, of the years 1900 to 2199. */
export function CivilDate(options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'civilDate',
      validator: {
        validate: (value: unknown) => typeof value === 'string' && isCivilDate(value) && isInSaneYear(value),
        defaultMessage: () =>
          `$property must be a day that exists, YYYY-MM-DD, from ${FIRST_YEAR} to ${LAST_YEAR}`,
      },
    },
    options,
  );
}
