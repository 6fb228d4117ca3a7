import { ValidateBy, type ValidationOptions } from 'class-validator';
import { isCivilDate } from '../clock/civil-time.js';

/** A day that exists, written YYYY-MM-DD. */
export function CivilDate(options?: ValidationOptions): PropertyDecorator {
  return ValidateBy(
    {
      name: 'civilDate',
      validator: {
        validate: (value: unknown) => typeof value === 'string' && isCivilDate(value),
        defaultMessage: () => '$property must be a day that exists, YYYY-MM-DD',
      },
    },
    options,
  );
}
