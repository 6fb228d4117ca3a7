import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ModulesContainer } from '@nestjs/core';
import {
  DocumentBuilder,
  type OpenAPIObject,
  type OperationObject,
  type ResponseObject,
  type SchemaObject,
  SwaggerModule,
} from '@nestjs/swagger';
import { ACCESS_RULE, type AccessRule } from './platform/http/caller.js';
import { ERRORS } from './platform/errors/error-table.js';
import { VERSION } from './platform/version.js';

const DESCRIPTION = `Deadlines, documents, tasks and backups: the right people are notified once, on the right channel, at the right hour.

Send \`Authorization: Bearer <access token>\` (from \`POST /api/v1/auth/login\`) or \`X-API-Key\`, never both.
Pages of this server may use the cookie of \`POST /api/v1/auth/session\` instead.
Lists answer \`{"data": […], "next_cursor": …}\`. Every error is \`application/problem+json\` (RFC 9457) with a \`code\`.
The sockets are described in [/asyncapi.yaml](/asyncapi.yaml).`;

/** Swagger UI has its own scripts and styles, and uses inline styles. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** A route's room and access rule. */
interface RouteFacts {
  room: string;
  rule: AccessRule | undefined;
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const;

/**
 * Serves `/docs` (assets come from this server, so it works without the internet) and `/openapi.json`. The document is
 * built on first request.
 */
export function setUpDocs(app: NestFastifyApplication): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (request, reply, done) => {
      if (request.routeOptions.url?.startsWith('/docs') === true) {
        reply.header('content-security-policy', POLICY).removeHeader('cache-control');
      }
      done();
    });
  SwaggerModule.setup('docs', app, () => describeApi(app), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    customSiteTitle: 'Vigie API',
    swaggerOptions: {
      // Do not store pasted credentials in the browser.
      persistAuthorization: false,
      // The pasted credentials alone: with the cookie of a signed-in reader they would be ambiguous.
      requestInterceptor: (request: object) => Object.assign(request, { credentials: 'omit' }),
      tagsSorter: 'alpha',
    },
  });
}

/** The OpenAPI document of all routes. The application must be initialised. */
export function describeApi(app: NestFastifyApplication): OpenAPIObject {
  const outline = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Vigie')
    .setDescription(DESCRIPTION)
    .setVersion(VERSION)
    .setLicense('MIT', 'https://spdx.org/licenses/MIT.html')
    // Relative to the URL of this document.
    .addServer('/')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, 'bearer')
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-API-Key' }, 'api_key')
    .addCookieAuth('vigie_session', { type: 'apiKey', in: 'cookie' }, 'session')
    .build();
  const document = SwaggerModule.createDocument(app, outline, {
    autoTagControllers: false,
    operationIdFactory: operationId,
  });
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Problem: PROBLEM },
  };
  const facts = routeFacts(app);
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      const operation = item[method];
      if (operation !== undefined) complete(operation, path, facts.get(operation.operationId ?? ''));
    }
  }
  return document;
}

function operationId(controller: string, method: string): string {
  return `${controller.replace(/Controller$/, '')}_${method}`;
}

/** Adds what the routes' decorators do not provide to Swagger: the room if there is no tag, the callers, the errors. */
function complete(operation: OperationObject, path: string, facts: RouteFacts | undefined): void {
  const rule = facts?.rule;
  if (operation.tags === undefined || operation.tags.length === 0) operation.tags = [facts?.room ?? 'other'];
  operation.summary ||= `${operation.tags[0] ?? ''}: ${wordsOf(operation.operationId ?? '')}`;
  operation.security = securityOf(rule);
  if (rule !== undefined && rule.who !== 'public') {
    const scope = rule.scope === undefined ? '' : ` API keys need the scope \`${rule.scope}\`.`;
    operation.description = [operation.description, `For: \`${rule.who}\`.${scope}`]
      .filter(Boolean)
      .join('\n\n');
  }
  const hasInput = (operation.parameters?.length ?? 0) > 0 || operation.requestBody !== undefined;
  const statuses = [
    ...(hasInput ? [400] : []),
    ...(rule?.who === 'public' ? [] : [401, 403]),
    ...(path.includes('{') ? [404] : []),
    ...(path.startsWith('/api/') ? [429] : []),
  ];
  for (const status of statuses) operation.responses[status] ??= problemResponse(titlesOf(status), status);
  operation.responses.default ??= problemResponse('Any other error');
}

/** `Deadlines_markDone` → `mark done`. */
function wordsOf(operation: string): string {
  const method = operation.slice(operation.indexOf('_') + 1);
  return method.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function securityOf(rule: AccessRule | undefined): Record<string, string[]>[] {
  if (rule?.who === 'public') return [];
  return [{ bearer: [] }, { session: [] }, ...(rule?.scope === undefined ? [] : [{ api_key: [] }])];
}

function titlesOf(status: number): string {
  return Object.entries(ERRORS)
    .filter(([, error]) => error.status === status)
    .map(([code, error]) => `\`${code}\`: ${error.title}`)
    .join('. ');
}

/** @param status whose first code is the example; none where any error may be meant. */
function problemResponse(description: string, status?: number): ResponseObject {
  const found = Object.entries(ERRORS).find(([, error]) => error.status === status);
  const example =
    found === undefined
      ? {}
      : { example: { type: `urn:vigie:error:${found[0]}`, title: found[1].title, status, code: found[0] } };
  return {
    description,
    content: {
      'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' }, ...example },
    },
  };
}

/** `ProblemBody`, as a schema. */
const PROBLEM: SchemaObject = {
  type: 'object',
  required: ['type', 'title', 'status', 'code'],
  properties: {
    type: { type: 'string', example: 'urn:vigie:error:validation_failed' },
    title: { type: 'string' },
    status: { type: 'integer', example: 400 },
    code: { type: 'string', enum: Object.keys(ERRORS) },
    detail: { type: 'string' },
    errors: {
      type: 'array',
      description: 'Each fault of the request, with its location',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: { pointer: { type: 'string', example: '/due_on' }, detail: { type: 'string' } },
      },
    },
    request_id: { type: 'string', description: 'Same as the header x-request-id; absent in not_found' },
  },
};

/** Room and access rule of every route, by operation id. */
function routeFacts(app: NestFastifyApplication): Map<string, RouteFacts> {
  const facts = new Map<string, RouteFacts>();
  for (const module of app.get(ModulesContainer).values()) {
    const room = module.name.replace(/Module$/, '').toLowerCase();
    for (const { metatype } of module.controllers.values()) {
      if (typeof metatype !== 'function') continue;
      const prototype: unknown = metatype.prototype;
      for (const [method, handler] of methodsOf(prototype)) {
        const rule = (Reflect.getMetadata(ACCESS_RULE, handler) ??
          Reflect.getMetadata(ACCESS_RULE, metatype)) as AccessRule | undefined;
        facts.set(operationId(metatype.name, method), { room, rule });
      }
    }
  }
  return facts;
}

function methodsOf(prototype: unknown): [string, object][] {
  return Object.entries(Object.getOwnPropertyDescriptors(prototype)).flatMap(([name, { value }]) =>
    typeof value === 'function' ? [[name, value as object]] : [],
  );
}
