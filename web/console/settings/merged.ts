/** Whether two values have the same JSON. */
export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/**
 * What a person changed, over what is stored now: somebody else may have saved other fields meanwhile.
 * @param depth how many levels of objects have fields of their own; deeper ones are one value
 */
export function merged<Value extends object>(base: Value, draft: Value, stored: Value, depth = 1): Value {
  const result = { ...stored };
  for (const key of keysOf(draft)) {
    const [before, after, now] = [base[key], draft[key], stored[key]];
    if (isSame(before, after)) continue;
    const isSection = depth > 0 && isObject(before) && isObject(after) && isObject(now);
    result[key] = isSection ? merged(before, after, now, depth - 1) : after;
  }
  return result;
}

/** How many fields differ, counted as `merged` sees them. */
export function differences<Value extends object>(base: Value, draft: Value, depth = 1): number {
  return keysOf(draft).reduce((sum, key) => {
    const [before, after] = [base[key], draft[key]];
    if (isSame(before, after)) return sum;
    return (
      sum + (depth > 0 && isObject(before) && isObject(after) ? differences(before, after, depth - 1) : 1)
    );
  }, 0);
}

function keysOf<Value extends object>(value: Value): (keyof Value)[] {
  return Object.keys(value) as (keyof Value)[];
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
