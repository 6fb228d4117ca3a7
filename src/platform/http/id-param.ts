import { Param, type PipeTransform } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { notFound } from '../errors/problem.js';

/** A malformed id gets the same 404 as an id that does not exist. */
class IdPipe implements PipeTransform<string, string> {
  transform(value: string): string {
    if (!isUUID(value)) throw notFound();
    return value.toLowerCase();
  }
}

/** An id in the path. */
export function IdParam(name = 'id'): ParameterDecorator {
  return Param(name, new IdPipe());
}
