import { type ValidationError, ValidationPipe } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidatorOptions } from 'class-validator';
import { type Fault, Problem } from '../errors/problem.js';

const RULES = {
  whitelist: true,
  forbidNonWhitelisted: true,
  forbidUnknownValues: true,
} as const satisfies ValidatorOptions;

/** Validates and types input, once: unknown fields are faults too, and all faults are reported together. */
export function validationPipe(): ValidationPipe {
  return new ValidationPipe({
    transform: true,
    ...RULES,
    exceptionFactory: (errors) =>
      new Problem('validation_failed', undefined, { errors: errors.flatMap((error) => faults(error, '')) }),
  });
}

/** The same for one of many: an object of `type`, with all that is wrong with it. */
export function checked<Type extends object>(
  type: new () => Type,
  plain: Record<string, unknown>,
): { value: Type; faults: Fault[] } {
  const value = plainToInstance(type, plain);
  return { value, faults: validateSync(value, RULES).flatMap((error) => faults(error, '')) };
}

function faults(error: ValidationError, path: string): Fault[] {
  // A value that can't be checked at all is reported without its name.
  const { property = '' } = error as Partial<ValidationError>;
  // RFC 6901: ~ and / are written ~0 and ~1 in a pointer.
  const pointer = property === '' ? path : `${path}/${property.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  return [
    ...Object.values(error.constraints ?? {}).map((detail) => ({ pointer, detail })),
    ...(error.children ?? []).flatMap((child) => faults(child, pointer)),
  ];
}
