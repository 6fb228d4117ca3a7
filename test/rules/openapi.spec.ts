import { createConfig, lintFromString } from '@redocly/openapi-core';
import { describeApi } from '../../src/docs.js';
import { ApiContract, type ObservedAnswer } from '../support/api-contract.js';
import { createWorld, type World } from '../support/world.js';

let world: World;
let document: string;
let contract: ApiContract;
beforeAll(async () => {
  world = await createWorld();
  document = JSON.stringify(describeApi(world.app));
  contract = new ApiContract(document);
});
afterAll(() => world.close());

describe('H9: /openapi.json', () => {
  it('has no finding of Redocly’s public linter', async () => {
    const config = await createConfig({
      extends: ['recommended'],
      // /livez and /readyz have no parameters that could be wrong.
      rules: { 'operation-4xx-response': 'off' },
    });
    const problems = await lintFromString({ source: document, absoluteRef: '/openapi.json', config });
    expect(
      problems.map(({ severity, ruleId, message, location }) =>
        [severity, ruleId, message, location[0]?.pointer].join(' '),
      ),
    ).toEqual([]);
  });

  it('has complete schemas: no property is an unspecified object', () => {
    const unknown: string[] = [];
    const look = (part: unknown, path: string) => {
      if (typeof part !== 'object' || part === null) return;
      const { type, properties, additionalProperties } = part as Record<string, unknown>;
      if (type === 'object' && properties === undefined && additionalProperties === undefined)
        unknown.push(path);
      for (const [key, value] of Object.entries(part)) look(value, `${path}/${key}`);
    };
    look(JSON.parse(document), '');
    expect(unknown).toEqual([]);
  });
});

describe('H9: responses of the API in tests', () => {
  const HEALTHY: ObservedAnswer = {
    method: 'GET',
    path: '/livez',
    status: 200,
    content_type: 'application/json; charset=utf-8',
    text: '{"status":"ok"}',
  };
  const check = (changed: Partial<ObservedAnswer>) => contract.check({ ...HEALTHY, ...changed });

  it('pass if they match the document', () => {
    expect(() => check({})).not.toThrow();
    expect(() => check({ method: 'GET', path: '/of/no/route', text: '{}' })).not.toThrow();
  });

  it.each([
    ['an additional field', { text: '{"status":"ok","more":1}' }, /must NOT have additional properties/],
    ['a field of another type', { text: '{"status":1}' }, /\/status must be/],
    ['a missing field', { text: '{}' }, /must have required property 'status'/],
    ['another type of content', { content_type: 'text/html' }, /is text\/html, which/],
    ['a status that is not listed', { status: 201 }, /→ 201 is application\/json, which/],
    ['no body', { text: '' }, /has no body/],
    ['a body where there is none', { method: 'DELETE', path: '/api/v1/users/1', status: 204 }, /→ 204 is/],
  ] as const)('fails for %s', (_what, changed, message) => {
    expect(() => check(changed)).toThrow(message);
  });
});
