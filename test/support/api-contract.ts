import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { OpenAPIObject, OperationObject } from '@nestjs/swagger';

/** A response of the API, as far as the document describes it. */
export interface ObservedAnswer {
  method: string;
  path: string;
  status: number;
  content_type: string;
  text: string;
}

declare global {
  /**
   * Compares a response with the document, which is requested once per worker process.
   * @throws Error that names the difference from the document.
   */
  var checkAgainstApi: (answer: ObservedAnswer, document: () => string) => void;
}

interface Route {
  template: string;
  pattern: RegExp;
  operations: Readonly<Record<string, OperationObject | undefined>>;
}

/**
 * The schemas of `/openapi.json`, to compare responses with. An object may only have the properties in the document: a
 * generated client would not know others.
 */
export class ApiContract {
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true, verbose: true });
  private readonly routes: Route[];
  private readonly validators = new Map<string, ValidateFunction>();

  /** @param document as JSON */
  constructor(document: string) {
    addFormats.default(this.ajv);
    const closed = JSON.parse(document) as OpenAPIObject;
    for (const schema of Object.values(closed.components?.schemas ?? {})) closeObjects(schema);
    closeObjects(closed.paths);
    this.ajv.addSchema({ $id: 'openapi', ...closed });
    this.routes = Object.entries(closed.paths)
      .map(([template, item]) => ({
        template,
        pattern: new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`),
        operations: item as Route['operations'],
      }))
      // `/notifications/send` before `/notifications/{id}`, as in the router.
      .sort((one, other) => placeholders(one) - placeholders(other));
  }

  /** @throws Error that names the difference from the document. */
  check(answer: ObservedAnswer): void {
    const method = answer.method.toLowerCase();
    const path = answer.path.split('?')[0] ?? '';
    const route = this.routes.find(
      ({ pattern, operations }) => operations[method] !== undefined && pattern.test(path),
    );
    const responses = route?.operations[method]?.responses;
    if (route === undefined || responses === undefined) return;
    const documented = responses[answer.status] === undefined ? 'default' : String(answer.status);
    const response = responses[documented];
    const where = `${answer.method} ${route.template} → ${answer.status}`;
    const content = response !== undefined && 'content' in response ? response.content : undefined;
    const type = answer.content_type.split(';')[0] ?? '';
    if (answer.text === '') {
      if (content !== undefined) throw new Error(`${where} has no body, /openapi.json says it has`);
      return;
    }
    if (content?.[type] === undefined)
      throw new Error(`${where} is ${type}, which /openapi.json does not say: ${answer.text.slice(0, 200)}`);
    if (!/\bjson$/.test(type)) return;
    const pointer = ['paths', route.template, method, 'responses', documented, 'content', type, 'schema'];
    const validate = this.validator(`openapi#/${pointer.map(escape).join('/')}`);
    if (validate(JSON.parse(answer.text))) return;
    const faults = (validate.errors ?? []).map(
      ({ instancePath, message, params, data }) =>
        `${instancePath || '/'} ${message ?? ''} ${JSON.stringify(params)}, is ${describe(data)}`,
    );
    throw new Error(`${where} is not what /openapi.json says:\n${faults.join('\n')}`);
  }

  private validator(reference: string): ValidateFunction {
    const known = this.validators.get(reference);
    if (known !== undefined) return known;
    const compiled = this.ajv.compile({ $ref: reference });
    this.validators.set(reference, compiled);
    return compiled;
  }
}

const placeholders = ({ template }: Route): number => template.split('{').length;

/** RFC 6901, then as part of a URL. */
const escape = (segment: string): string =>
  encodeURIComponent(segment.replaceAll('~', '~0').replaceAll('/', '~1'));

/** Forbids other properties in objects that list theirs and do not allow more. Not within `allOf`. */
function closeObjects(schema: unknown): void {
  if (typeof schema !== 'object' || schema === null) return;
  const { properties, additionalProperties } = schema as Record<string, unknown>;
  if (typeof properties === 'object' && additionalProperties === undefined && !('allOf' in schema))
    Object.assign(schema, { additionalProperties: false });
  for (const [key, part] of Object.entries(schema)) {
    if (key !== 'allOf' && key !== 'example' && key !== 'examples') closeObjects(part);
  }
}

/** The start of a value as JSON. */
function describe(value: unknown): string {
  return value === undefined ? 'absent' : JSON.stringify(value).slice(0, 80);
}
