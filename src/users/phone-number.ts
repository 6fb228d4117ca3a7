import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';
import { parsePhoneNumber } from '../platform/addresses/phone-number.js';

/** A telephone number with its country code, stored as E.164 (`+33612345678`). It must be a possible number. */
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
  return typeof value === 'string' ? parsePhoneNumber(value) : null;
}
