import type { OpenAPIObject, SchemaObject } from '@nestjs/swagger';

/** A body that is expensive unless its shape is checked first. */
export interface HostileBody {
  what: string;
  json: string;
}

/** A route that takes JSON, and the fields of its body that are lists or objects. */
export interface JsonRoute {
  method: string;
  /** Its ids are unknown. */
  path: string;
  fields: readonly string[];
}

const BYTES = 1_000_000;
const NOBODY = '00000000-0000-7000-8000-000000000000';

/** @param fields of the body, to be filled beyond their limits. */
export function hostileBodies(fields: readonly string[]): HostileBody[] {
  const items = (item: string) => repeated(item, BYTES / (item.length + 1));
  const names = (count: number) => Array.from({ length: count }, (_, n) => `"k${n}":1`).join();
  return [
    { what: '80,000 unknown fields', json: `{${names(80_000)}}` },
    { what: '1,000 unknown fields', json: `{${names(1_000)}}` },
    { what: 'a list of objects', json: `[${items('{}')}]` },
    { what: 'a list of lists', json: `{"a":[${items('[]')}]}` },
    { what: 'a deep list', json: `${'['.repeat(BYTES / 2)}${']'.repeat(BYTES / 2)}` },
    { what: 'a long text', json: `{"a":"${'x'.repeat(BYTES)}"}` },
    { what: 'blanks', json: `{}${' '.repeat(BYTES)}` },
    ...fields.flatMap((field) => [
      { what: `${field} of 300,000 objects`, json: `{"${field}":[${items('{}')}]}` },
      { what: `${field} of 900 objects of 20 fields`, json: `{"${field}":[${wide(900, 20)}]}` },
      { what: `${field} of 19,000 texts`, json: `{"${field}":[${repeated('"x"', 19_000)}]}` },
      { what: `${field} with 900 fields of 20`, json: `{"${field}":{${byName(900, 20)}}}` },
      { what: `${field} as a text of a megabyte`, json: `{"${field}":"${'é'.repeat(BYTES / 2)}"}` },
    ]),
  ];
}

/** Every route that takes JSON. */
export function jsonRoutes({ paths, components }: OpenAPIObject): JsonRoute[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    (['post', 'put', 'patch'] as const).flatMap((method) => {
      const body = item[method]?.requestBody;
      if (body === undefined || !('content' in body)) return [];
      const schema = body.content['application/json']?.schema;
      if (schema === undefined) return [];
      const resolved = '$ref' in schema ? components?.schemas?.[schema.$ref.split('/').at(-1) ?? ''] : schema;
      const fields = Object.entries((resolved as SchemaObject | undefined)?.properties ?? {})
        .filter(
          ([, field]) =>
            '$ref' in field || 'allOf' in field || ['array', 'object'].includes(String(field.type)),
        )
        .map(([name]) => name);
      return [{ method: method.toUpperCase(), path: path.replace(/\{\w+\}/g, NOBODY), fields }];
    }),
  );
}

function wide(count: number, fields: number): string {
  const one = `{${Array.from({ length: fields }, (_, n) => `"k${n}":"x"`).join()}}`;
  return repeated(one, count);
}

function byName(count: number, fields: number): string {
  const one = `{${Array.from({ length: fields }, (_, n) => `"k${n}":"x"`).join()}}`;
  return Array.from({ length: count }, (_, n) => `"n${n}":${one}`).join();
}

function repeated(item: string, times: number): string {
  return Array.from({ length: times }, () => item).join();
}
