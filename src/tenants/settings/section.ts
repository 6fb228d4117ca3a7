import { applyDecorators } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsObject, IsOptional, ValidateNested } from 'class-validator';

/** A part of the settings that is an object with its own rules. */
export function Section(type: () => new () => object): PropertyDecorator {
  return applyDecorators(IsObject(), ValidateNested(), Type(type));
}

/** The same, where null has a meaning of its own. */
export function NullableSection(type: () => new () => object): PropertyDecorator {
  return applyDecorators(IsOptional(), Section(type));
}
