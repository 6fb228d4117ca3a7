import { getMetadataStorage } from 'class-validator';
import type { Fault } from '../errors/problem.js';
import { nestedType } from './nested.js';

/** Faults that an answer names. */
export const MAX_FAULTS = 20;
/** Items of a list whose own rules give no maximum. */
const MAX_ITEMS = 1_000;

type Input = new () => object;

/** The fields of a type, with the most items that each takes as a list. */
type Fields = ReadonlyMap<string, number>;

const known = new WeakMap<Input, Fields>();

/**
 * What makes input too much work to transform and check: it is no object, has many unknown fields, or a list that is
 * too long. The cost is that of reading the input once. Empty: its size is bounded by the rules of `type`.
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
  // A few unknown fields are told together with all other faults.
  const faults = unknown.length > MAX_FAULTS ? [...tooLong, ...unknown] : tooLong;
  return faults.slice(0, MAX_FAULTS);
}

/** RFC 6901: `~` and `/` are written `~0` and `~1`. Long names are cut: they come from the caller. */
export function pointerTo(name: string): string {
  return name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1');
}

/** As class-validator says it. */
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
