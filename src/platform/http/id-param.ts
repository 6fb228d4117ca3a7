import { Param, type PipeTransform } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { notFound } from '../errors/problem.js';

/** What can't be an id is nobody's: the same 404 as for an id that is not there. */
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
