import { type ArgumentMetadata, type ValidationError, ValidationPipe } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidatorOptions } from 'class-validator';
import { type Fault, Problem } from '../errors/problem.js';
import { MAX_FAULTS, pointerTo, shapeFaults } from './shape.js';

const RULES = {
  whitelist: true,
  forbidNonWhitelisted: true,
  forbidUnknownValues: true,
} as const satisfies ValidatorOptions;

/**
 * Validates and types input in one pass: unknown fields are faults too, and up to MAX_FAULTS faults are reported
 * together. Input of unbounded shape is refused before anything is transformed.
 */
export function validationPipe(): ValidationPipe {
  return new BoundedValidationPipe({
    transform: true,
    ...RULES,
    exceptionFactory: (errors) => refused(errors.flatMap((error) => faults(error, ''))),
  });
}

class BoundedValidationPipe extends ValidationPipe {
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const { metatype } = metadata;
    // No body is one without fields.
    if (metatype !== undefined && value != null && this.toValidate(metadata)) {
      const excess = shapeFaults(metatype, value);
      if (excess.length > 0) throw refused(excess);
    }
    return super.transform(value, metadata) as Promise<unknown>;
  }
}

function refused(errors: readonly Fault[]): Problem {
  return new Problem('validation_failed', undefined, { errors: errors.slice(0, MAX_FAULTS) });
}

/** The same for one element of many: an object of `type`, and its faults. */
export function checked<Type extends object>(
  type: new () => Type,
  plain: Record<string, unknown>,
): { value: Type; faults: Fault[] } {
  const excess = shapeFaults(type, plain);
  if (excess.length > 0) return { value: new type(), faults: excess };
  const value = plainToInstance(type, plain);
  return { value, faults: validateSync(value, RULES).flatMap((error) => faults(error, '')) };
}

function faults(error: ValidationError, path: string): Fault[] {
  // A value that cannot be checked at all is reported without a name.
  const { property = '' } = error as Partial<ValidationError>;
  const pointer = property === '' ? path : `${path}/${pointerTo(property)}`;
  return [
    ...detailsOf(error.constraints ?? {}).map((detail) => ({ pointer, detail })),
    ...(error.children ?? []).flatMap((child) => faults(child, pointer)),
  ];
}

const TYPE_RULES = ['isString', 'isInt', 'isNumber', 'isBoolean', 'isArray', 'isObject'];

/** Messages of the rules that a value breaks. If its type is wrong, the other rules' messages would add nothing. */
function detailsOf(constraints: Readonly<Record<string, string>>): string[] {
  const wrongType = TYPE_RULES.map((rule) => constraints[rule]).find((detail) => detail !== undefined);
  return wrongType === undefined ? Object.values(constraints) : [wrongType];
}
