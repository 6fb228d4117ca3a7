import type { OpenAPIObject, OperationObject } from '@nestjs/swagger';
import { createWorld, type World } from '../test/support/world.js';

let world: World;
let document: OpenAPIObject;
beforeAll(async () => {
  world = await createWorld();
  document = (await world.http('GET', '/openapi.json')).body as OpenAPIObject;
});
afterAll(() => world.close());

function operations(): [string, OperationObject][] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    (['get', 'put', 'post', 'delete', 'patch'] as const).flatMap((method): [string, OperationObject][] => {
      const operation = item[method];
      return operation === undefined ? [] : [[`${method.toUpperCase()} ${path}`, operation]];
    }),
  );
}

/** Every `$ref` and every property with its schema, anywhere in the document. */
function* walk(node: unknown, path = ''): Generator<[string, unknown]> {
  if (typeof node !== 'object' || node === null) return;
  for (const [key, value] of Object.entries(node)) {
    yield [`${path}/${key}`, value];
    yield* walk(value, `${path}/${key}`);
  }
}

test('the page loads everything from this server', async () => {
  const page = await world.http('GET', '/docs');
  expect(page.status).toBe(200);
  const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address!);
  expect(assets.length).toBeGreaterThan(3);
  for (const asset of assets) {
    const { pathname, origin } = new URL(asset, 'http://vigie/docs');
    expect(origin).toBe('http://vigie');
    expect([pathname, (await world.http('GET', pathname)).status]).toEqual([pathname, 200]);
  }
});

test('every route has one room, a summary, its callers, and its errors', () => {
  const described = operations();
  expect(described.length).toBeGreaterThan(5);
  const lacking = described.filter(
    ([, { tags, summary, security, responses }]) =>
      tags?.length !== 1 || !summary || security === undefined || responses.default === undefined,
  );
  expect(lacking.map(([name]) => name)).toEqual([]);
});

test('public routes require nothing, others a token, the cookie of a session, or a key with its scope', () => {
  expect(document.paths['/readyz']?.get?.security).toEqual([]);
  const trigger = document.paths['/api/v1/admin/scheduler/{job}/trigger']?.post;
  expect(trigger).toMatchObject({
    tags: ['ops'],
    security: [{ bearer: [] }, { session: [] }, { api_key: [] }],
  });
  expect(trigger?.parameters).toContainEqual(
    expect.objectContaining({ name: 'Idempotency-Key', in: 'header' }),
  );
  expect(trigger?.responses['404']).toMatchObject({
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  });
  expect(Object.keys(document.components?.securitySchemes ?? {})).toEqual(['bearer', 'api_key', 'session']);
});

test('every operation id belongs to one route', () => {
  const ids = operations().map(([, { operationId }]) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
});

test('every reference resolves, and every property has a type', () => {
  const lost: string[] = [];
  for (const [path, value] of walk(document)) {
    if (path.endsWith('/$ref')) {
      const name = String(value).replace('#/components/schemas/', '');
      if (document.components?.schemas?.[name] === undefined) lost.push(`${path}: ${String(value)}`);
    } else if (/\/properties\/[^/]+$/.test(path) && !path.includes('/example')) {
      const property = value as Record<string, unknown>;
      const says = ['type', '$ref', 'allOf', 'anyOf', 'oneOf', 'enum'].some((key) => key in property);
      if (!says) lost.push(path);
    }
  }
  expect(lost).toEqual([]);
});
