import { applyDecorators } from '@nestjs/common';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsObject, ValidateNested } from 'class-validator';

type TypeOf = () => new () => object;

const NESTED = 'vigie:nested';

/** An object with its own rules, as a field of another. */
export function Nested(type: TypeOf): PropertyDecorator {
  return applyDecorators(Reflect.metadata(NESTED, type), IsObject(), ValidateNested(), Type(type));
}

/** A list of up to `max` such objects. */
export function NestedList(type: TypeOf, max: number): PropertyDecorator {
  return applyDecorators(
    Reflect.metadata(NESTED, type),
    IsArray(),
    ArrayMaxSize(max),
    ValidateNested({ each: true }),
    Type(type),
  );
}

/** The type of a field that has one of these decorators. */
export function nestedType(type: new () => object, property: string): (new () => object) | undefined {
  const found = Reflect.getMetadata(NESTED, type.prototype as object, property) as TypeOf | undefined;
  return found?.();
}
