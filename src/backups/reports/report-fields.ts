import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { IsOptional, ValidateBy } from 'class-validator';
import { reportedInstant } from './reported-instant.js';

/** Agents may also write an unknown value as an empty text. */
export function Known(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (value === '' ? null : value)),
    IsOptional(),
  );
}

/** An instant in an agent's format, normalized to ISO 8601 in UTC. */
export function ReportedInstant(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' ? (reportedInstant(value.trim()) ?? value) : value,
    ),
    ValidateBy({
      name: 'reportedInstant',
      validator: {
        validate: (value: unknown) => typeof value === 'string' && reportedInstant(value) !== null,
        defaultMessage: () => '$property must be an instant from 2000 on, such as 2026-03-30T02:10:00Z',
      },
    }),
  );
}
