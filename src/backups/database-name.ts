import { applyDecorators } from '@nestjs/common';
import { IsNotIn } from 'class-validator';
import { Line } from '../platform/http/text.js';

/** In STATUS.json a database is the key of an object, and these mean something to every object. */
export const REFUSED_DATABASE_NAMES: readonly string[] = ['__proto__', 'constructor', 'prototype'];

/** The name of a database, in a request. */
export function DatabaseName(): PropertyDecorator {
  return applyDecorators(
    Line(100),
    IsNotIn(REFUSED_DATABASE_NAMES, { message: '$property must be another name than $value' }),
  );
}
