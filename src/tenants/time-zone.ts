import { applyDecorators } from '@nestjs/common';
import { IsString, MaxLength, ValidateBy } from 'class-validator';
import { isTimeZone } from '../platform/clock/civil-time.js';

/** An existing IANA time zone, such as `Europe/Paris`. */
export function TimeZone(): PropertyDecorator {
  return applyDecorators(
    IsString(),
    MaxLength(64),
    ValidateBy({
      name: 'timeZone',
      validator: {
        validate: (value: unknown) => typeof value === 'string' && isTimeZone(value),
        defaultMessage: () => '$property must be an IANA time zone such as Europe/Paris',
      },
    }),
  );
}
