import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, Min, ValidateBy } from 'class-validator';
import { isCivilDate } from '../../platform/clock/civil-time.js';
import { printable } from '../../platform/http/text.js';
import { isDatabaseName } from '../jobs/database-name.js';

/** Databases of one report. */
const MAX_DATABASES = 1_000;
const MAX_TEXT_LENGTH = 20_000;

/** Agents may also write an unknown value as an empty text. */
export function Known(): PropertyDecorator {
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => (value === '' ? null : value)),
    IsOptional(),
  );
}

/** The output of other programs: cut and cleaned so that it can be stored and read. */
export function Words(): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ type: String, nullable: true }),
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? kept(value) : value)),
    IsOptional(),
    IsString(),
  );
}

function kept(text: string): string | null {
  // Cut first: PostgreSQL cannot store half a character at the end.
  const words = printable(text.slice(0, MAX_TEXT_LENGTH)).trim();
  return words === '' ? null : words;
}

/** A size in bytes, or unknown. */
export function Bytes(): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ type: 'integer', nullable: true, minimum: 0 }),
    Known(),
    IsInt(),
    Min(0),
    Max(Number.MAX_SAFE_INTEGER),
  );
}

const INSTANT = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

/** An instant of this century with its offset from UTC: without one it would depend on the machine. */
export function ReportedInstant(): PropertyDecorator {
  return ValidateBy({
    name: 'reportedInstant',
    validator: {
      validate: (value: unknown) => {
        const date = typeof value === 'string' ? INSTANT.exec(value)?.[1] : undefined;
        return (
          date !== undefined &&
          date >= '2000' &&
          isCivilDate(date) &&
          !Number.isNaN(Date.parse(String(value)))
        );
      },
      defaultMessage: () => '$property must be an instant with its offset from UTC, as 2026-03-30T02:10:00Z',
    },
  });
}

/** The same, or unknown. */
export function OptionalInstant(): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ type: String, format: 'date-time', nullable: true }),
    Known(),
    ReportedInstant(),
  );
}

/** Names of databases as the keys of a report. */
export function DatabaseNames(): PropertyDecorator {
  return ValidateBy({
    name: 'databaseNames',
    validator: {
      validate: (value: unknown) =>
        value instanceof Map &&
        value.size >= 1 &&
        value.size <= MAX_DATABASES &&
        [...value.keys()].every((name) => typeof name === 'string' && isDatabaseName(name)),
      defaultMessage: () =>
        `$property must name 1 to ${MAX_DATABASES} databases, each by 1 to 100 characters without control characters`,
    },
  });
}
