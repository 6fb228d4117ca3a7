import { applyDecorators } from '@nestjs/common';
import { IsOptional } from 'class-validator';
import { Nested } from '../../platform/http/nested.js';

/** A part of the settings, where null has a meaning of its own. */
export function NullableSection(type: () => new () => object): PropertyDecorator {
  return applyDecorators(IsOptional(), Nested(type));
}
