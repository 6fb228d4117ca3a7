import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';

/** A telephone number with its country code, stored as E.164 (`+33612345678`). It must be one that can exist. */
export function PhoneNumber(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => e164(value) ?? value),
    ValidateBy({
      name: 'phoneNumber',
      validator: {
        validate: (value: unknown) => value === e164(value),
        defaultMessage: () => '$property must be a telephone number with its country code, +33612345678',
      },
    }),
  );
}

function e164(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > 40) return null;
  const number = parsePhoneNumberFromString(value);
  // An extension is no part of E.164: leaving it out would be another number.
  return number?.isValid() === true && number.ext === undefined ? number.number : null;
}
