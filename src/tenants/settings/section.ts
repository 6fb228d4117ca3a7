import { applyDecorators } from '@nestjs/common';
import { IsOptional } from 'class-validator';
import { Nested } from '../../platform/http/nested.js';

/** A part of the settings for which null has a meaning. */
export function NullableSection(type: () => new () => object): PropertyDecorator {
  return applyDecorators(IsOptional(), Nested(type));
}
