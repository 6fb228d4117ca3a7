import { type ValidationError, ValidationPipe } from '@nestjs/common';
import { type Fault, Problem } from '../errors/problem.js';

/** Checks and types what comes in, once: unknown fields are faults too, and all faults are told together. */
export function validationPipe(): ValidationPipe {
  return new ValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    exceptionFactory: (errors) =>
      new Problem('validation_failed', undefined, { errors: errors.flatMap((error) => faults(error, '')) }),
  });
}

function faults(error: ValidationError, path: string): Fault[] {
  // RFC 6901: ~ and / are written ~0 and ~1 in a pointer.
  const pointer = `${path}/${error.property.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  return [
    ...Object.values(error.constraints ?? {}).map((detail) => ({ pointer, detail })),
    ...(error.children ?? []).flatMap((child) => faults(child, pointer)),
  ];
}
