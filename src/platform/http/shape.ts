import { getMetadataStorage } from 'class-validator';
import type { Fault } from '../errors/problem.js';
import { nestedType } from './nested.js';

/** Maximum number of faults in an answer. */
export const MAX_FAULTS = 20;
/** Maximum items of a list whose own rules set no limit. */
const MAX_ITEMS = 1_000;

type Input = new () => object;

/** The fields of a type, with the maximum number of items for lists. */
type Fields = ReadonlyMap<string, number>;

const known = new WeakMap<Input, Fields>();

/**
 * Finds input that is too expensive to transform and check: not an object, many unknown fields, or a list that is too
 * long. Costs as much as reading the input once. If it finds no fault, the rules of `type` bound the input's size.
 * @returns at most MAX_FAULTS.
 */
export function shapeFaults(type: Input, input: unknown): Fault[] {
  const unknown: Fault[] = [];
  const tooLong: Fault[] = [];
  const walk = (inner: Input, value: unknown, pointer: string): void => {
    if (!isObject(value)) return;
    const fields = fieldsOf(inner);
    for (const [name, item] of Object.entries(value)) {
      if (unknown.length > MAX_FAULTS || tooLong.length >= MAX_FAULTS) return;
      const place = `${pointer}/${pointerTo(name)}`;
      const max = fields.get(name);
      if (max === undefined) unknown.push({ pointer: place, detail: unknownField(name) });
      else if (Array.isArray(item) && item.length > max) {
        tooLong.push({ pointer: place, detail: `${name} must contain no more than ${max} elements` });
      } else {
        const of = nestedType(inner, name);
        if (of === undefined) continue;
        if (!Array.isArray(item)) walk(of, item, place);
        else item.forEach((each, index) => walk(of, each, `${place}/${index}`));
      }
    }
  };
  if (!isObject(input)) return [{ pointer: '', detail: 'must be a JSON object' }];
  walk(type, input, '');
  // A few unknown fields are reported together with all other faults.
  const faults = unknown.length > MAX_FAULTS ? [...tooLong, ...unknown] : tooLong;
  return faults.slice(0, MAX_FAULTS);
}

/** RFC 6901: `~` and `/` are escaped as `~0` and `~1`. Long names are truncated: they come from the caller. */
export function pointerTo(name: string): string {
  return name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1');
}

/** The same message as class-validator's. */
function unknownField(name: string): string {
  return `property ${name.slice(0, 100)} should not exist`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fieldsOf(type: Input): Fields {
  let fields = known.get(type);
  if (fields === undefined) {
    const found = new Map<string, number>();
    for (const rule of getMetadataStorage().getTargetValidationMetadatas(type, '', false, false)) {
      const before = found.get(rule.propertyName) ?? MAX_ITEMS;
      const max: unknown = rule.name === 'arrayMaxSize' ? rule.constraints[0] : before;
      found.set(rule.propertyName, typeof max === 'number' ? max : before);
    }
    known.set(type, (fields = found));
  }
  return fields;
}
