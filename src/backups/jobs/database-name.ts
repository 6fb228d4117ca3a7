import { applyDecorators } from '@nestjs/common';
import { IsNotIn } from 'class-validator';
import { Identifier } from '../../platform/http/text.js';

/** A database is an object key in STATUS.json, and these keys have a meaning in JavaScript. */
const REFUSED: readonly string[] = ['__proto__', 'constructor', 'prototype'];

/** Validates the name of a database in a request. */
export function DatabaseName(): PropertyDecorator {
  return applyDecorators(Identifier(100), IsNotIn(REFUSED, { message: '$property must not be $value' }));
}

/** The same rule, for the keys of a report. @param name as `comparable` */
export function isDatabaseName(name: string): boolean {
  return /^[^\p{Cc}\p{Cs}]{1,100}$/u.test(name) && !REFUSED.includes(name);
}
