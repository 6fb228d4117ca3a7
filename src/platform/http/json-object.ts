import { ValidateBy } from 'class-validator';

const MAX_DEPTH = 8;

/** An object that PostgreSQL can store as jsonb: at most `max` characters, limited depth, well-formed texts. */
export function JsonObject(max: number): PropertyDecorator {
  return ValidateBy({
    name: 'jsonObject',
    validator: {
      validate: (value: unknown) => isStorable(value, 0) && JSON.stringify(value).length <= max,
      defaultMessage: () =>
        `$property must be at most ${max} characters of JSON, ${MAX_DEPTH} levels deep, without NUL or lone surrogates`,
    },
  });
}

function isStorable(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return !value.includes('\0') && !/\p{Cs}/u.test(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth >= MAX_DEPTH) return false;
  return Object.entries(value).every(([key, item]) => isStorable(key, depth) && isStorable(item, depth + 1));
}
