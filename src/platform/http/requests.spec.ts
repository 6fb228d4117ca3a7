import { Body, Controller, Get, Module, Post, Query } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, ValidateNested } from 'class-validator';
import type { ProblemBody } from '../errors/problem.js';
import { ProblemFilter } from '../errors/problem.filter.js';
import { JsonLogger } from '../logging/logger.js';
import { takeBodies } from './bodies.js';
import { BodyGuard } from './body-guard.js';
import { Access } from './caller.js';
import { CivilDate } from './civil-date.js';
import { Instant } from './instant.js';
import { Creating, type CreatingRequest } from './idempotency.js';
import { IdParam } from './id-param.js';
import { PageQuery } from './page.dto.js';
import { Line, Text } from './text.js';
import { validationPipe } from './validation.js';

class Inner {
  @IsInt()
  count: number;
}

class Thing {
  @Line(10)
  title: string;

  @IsOptional()
  @Text(20)
  body?: string;

  @IsOptional()
  @CivilDate()
  due_on?: string;

  @IsOptional()
  @Instant()
  at?: string;

  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => Inner)
  inner?: Inner[];
}

@Access('public')
@Controller('things')
class Things {
  @Post()
  create(@Body() thing: Thing): Thing {
    return thing;
  }

  @Get()
  list(@Query() query: PageQuery): PageQuery {
    return query;
  }

  @Post('creating')
  creating(@Creating() { key, hash }: CreatingRequest): { key: string | null; hash: string } {
    return { key, hash: hash().toString('hex') };
  }

  @Get('broken')
  broken(): void {
    throw new Error('canary');
  }

  @Get(':id')
  get(@IdParam() id: string): { id: string } {
    return { id };
  }
}

@Module({ controllers: [Things] })
class ThingsModule {}

let app: NestFastifyApplication;
const logged: string[] = [];

beforeAll(async () => {
  const module = await Test.createTestingModule({ imports: [ThingsModule] }).compile();
  app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), {
    bodyParser: false,
  });
  takeBodies(app);
  app.useGlobalGuards(new BodyGuard(new Reflector()));
  app.useLogger(new JsonLogger('info', { write: (line: string) => void logged.push(line) }));
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(new ProblemFilter());
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
});
afterAll(async () => app.close());

async function send(
  method: 'GET' | 'POST',
  url: string,
  payload?: unknown,
  headers: Record<string, string> = {},
) {
  const text = typeof payload === 'string' || payload === undefined ? payload : JSON.stringify(payload);
  const answer = await app.inject({
    method,
    url,
    headers: { ...(text === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(text === undefined ? {} : { payload: text }),
  });
  return {
    status: answer.statusCode,
    type: String(answer.headers['content-type']).split(';')[0],
    text: answer.body,
    body: JSON.parse(answer.body) as Record<string, unknown> & Partial<ProblemBody>,
  };
}

/** The pointers of the faults of a refused body. */
async function pointers(payload: unknown): Promise<string[]> {
  const { status, body } = await send('POST', '/things', payload);
  expect([status, body.code]).toEqual([400, 'validation_failed']);
  return [...new Set(body.errors?.map(({ pointer }) => pointer))].sort();
}

describe('input', () => {
  it('is trimmed and accepted', async () => {
    const { status, body } = await send('POST', '/things', {
      title: ' a ',
      due_on: '2028-02-29',
      body: 'é\n\t😀',
    });
    expect([status, body]).toEqual([201, { title: 'a', due_on: '2028-02-29', body: 'é\n\t😀' }]);
  });

  it.each([
    ['nothing', {}, ['/title']],
    ['unknown fields, beside other faults', { admin: true, due_on: 'soon' }, ['/admin', '/due_on', '/title']],
    ['a fault deep inside', { title: 'a', inner: [{ count: 1 }, { count: 'x' }] }, ['/inner/1/count']],
    ['an unknown field deep inside', { title: 'a', inner: [{ count: 1, x: 1 }] }, ['/inner/0/x']],
    ['a name with / and ~', { title: 'a', 'a/b~c': 1 }, ['/a~1b~0c']],
    ['a blank title', { title: ' \n ' }, ['/title']],
    ['a long title', { title: 'x'.repeat(11) }, ['/title']],
    ['a title of two lines', { title: 'a\nb' }, ['/title']],
    ['a NUL', { title: 'a\u0000b', body: 'a\u0000b' }, ['/body', '/title']],
    ['S6: a lone surrogate', { title: 'a', body: 'a\udc00' }, ['/body']],
    ['an escape sequence', { title: 'a', body: '\u001b[31m' }, ['/body']],
    ['numbers for text', { title: 5, body: {} }, ['/body', '/title']],
    ['a list for text', { title: ['a'] }, ['/title']],
    ['the 30th of February', { title: 'a', due_on: '2026-02-30' }, ['/due_on']],
    ['the 29th of February of another year', { title: 'a', due_on: '2027-02-29' }, ['/due_on']],
    ['an instant for a day', { title: 'a', due_on: '2026-03-01T00:00:00Z' }, ['/due_on']],
    ['a number for a day', { title: 'a', due_on: 20260301 }, ['/due_on']],
    ['F7: an implausible year', { title: 'a', due_on: '0026-03-01' }, ['/due_on']],
    ['F7: a month of three digits', { title: 'a', at: '2027-012' }, ['/at']],
    ['F7: a year for an instant', { title: 'a', at: '2027' }, ['/at']],
    ['F7: an instant without offset', { title: 'a', at: '2027-01-02T03:04:05' }, ['/at']],
    ['F7: an instant of an impossible day', { title: 'a', at: '2027-02-29T03:04Z' }, ['/at']],
    ['F7: an instant at 24:00', { title: 'a', at: '2027-02-28T24:00Z' }, ['/at']],
    ['F7: an instant of the year 0026', { title: 'a', at: '0026-02-28T10:00Z' }, ['/at']],
    ['F2: a title of invisible characters', { title: '\u200b\u3164' }, ['/title']],
  ])('is refused with the place of its fault: %s', async (_what, payload, expected) => {
    expect(await pointers(payload)).toEqual(expected);
  });

  it.each([
    ['a text', '"x"'],
    ['a number', '5'],
    ['null', 'null'],
    ['invalid JSON', '{"title":'],
    ['a prototype', '{"title":"a","__proto__":{"admin":true}}'],
    ['a constructor', '{"title":"a","constructor":{"prototype":{"admin":true}}}'],
  ])('is refused as %s', async (_what, payload) => {
    const { status, type, body } = await send('POST', '/things', payload);
    expect([status, type, body.status]).toEqual([400, 'application/problem+json', 400]);
  });

  it('is refused when it is too large or of another type', async () => {
    expect((await send('POST', '/things', { title: 'x'.repeat(20_000) })).body.code).toBe(
      'payload_too_large',
    );
  });

  it.each([
    'application/xml',
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
  ])('F9: is refused as %s', async (type) => {
    const { status, body } = await send('POST', '/things', 'title=a', { 'content-type': type });
    expect([status, body.code]).toEqual([415, 'unsupported_media_type']);
  });

  it('F3: is refused with a name that appears twice, and names it', async () => {
    const { body } = await send('POST', '/things', '{"title":"a","title":"b"}');
    expect(body.errors).toEqual([{ pointer: '/title', detail: 'appears twice' }]);
  });

  it.each([
    ['5,000 elements', { title: 'a', inner: Array.from({ length: 5_000 }, () => ({})) }, '/inner'],
    ['many unknown fields', Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`k${n}`, 1])), '/k0'],
    [
      'many unknown fields deep inside',
      { title: 'a', inner: [Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`k${n}`, 1]))] },
      '/inner/0/k0',
    ],
  ])('S1: is refused with at most 20 faults for %s', async (_what, payload, first) => {
    const { body } = await send('POST', '/things', payload);
    expect(body.errors?.length).toBeLessThanOrEqual(20);
    expect(body.errors?.[0]?.pointer).toBe(first);
  });

  it('S1: is refused as a list', async () => {
    const { body } = await send('POST', '/things', [{}, {}]);
    expect(body.errors).toEqual([{ pointer: '', detail: 'must be a JSON object' }]);
  });
});

describe('a list', () => {
  it('has a limit, even by default', async () => {
    expect((await send('GET', '/things')).body).toEqual({ limit: 50 });
    expect((await send('GET', '/things?limit=200&cursor=abc')).body).toEqual({ limit: 200, cursor: 'abc' });
  });

  it.each([
    'limit=0',
    'limit=201',
    'limit=x',
    'limit=',
    'limit=1.5',
    'limit=1&limit=2',
    'offset=5',
    `cursor=${'x'.repeat(501)}`,
  ])('refuses ?%s', async (query) => {
    expect((await send('GET', `/things?${query}`)).body.code).toBe('validation_failed');
  });
});

describe('an id', () => {
  it('is accepted in any case', async () => {
    const id = '0199F3C4-0000-7000-8000-000000000001';
    expect((await send('GET', `/things/${id}`)).body).toEqual({ id: id.toLowerCase() });
  });

  it.each(['1', 'x', '%00', "'%20OR%201=1", '..%2f..', '0199f3c4-0000-7000-8000-00000000000g'])(
    'is not found when malformed: %s',
    async (id) => {
      const { status, text } = await send('GET', `/things/${id}`);
      expect([status, text]).toEqual([404, (await send('GET', '/nowhere')).text]);
    },
  );
});

describe('an Idempotency-Key', () => {
  it('comes with a hash of the request', async () => {
    const ask = (body: unknown, key: string) =>
      send('POST', '/things/creating', body, { 'idempotency-key': key });
    const first = (await ask({ a: 1 }, 'k')).body;
    expect(first.key).toBe('k');
    expect((await ask({ a: 1 }, 'k')).body).toEqual(first);
    const two = (await ask({ b: { c: 1, d: [2] }, a: 1 }, 'k')).body.hash;
    // F9: the order of names does not matter.
    expect((await ask('{"a":1,"b":{"d":[2],"c":1}}', 'k')).body.hash).toBe(two);
    expect((await ask({ a: 2 }, 'k')).body.hash).not.toBe(first.hash);
    expect((await send('POST', '/things/creating', {})).body.key).toBeNull();
  });

  it.each(['', ' ', 'a b', 'é', 'x'.repeat(256)])('is refused as %p', async (key) => {
    const { status, body } = await send('POST', '/things/creating', {}, { 'idempotency-key': key });
    expect([status, body.code]).toEqual([400, 'validation_failed']);
  });
});

describe('an internal fault', () => {
  it('is answered without its cause, and logged with it', async () => {
    logged.length = 0;
    const { status, type, body, text } = await send('GET', '/things/broken');
    expect([status, type, body.code]).toEqual([500, 'application/problem+json', 'internal_error']);
    expect(text).not.toContain('canary');
    expect(logged.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({
        level: 'error',
        room: 'Http',
        event: 'request_failed',
        method: 'GET',
        route: '/things/broken',
        err: expect.objectContaining({ message: 'canary' }) as unknown,
      }),
    ]);
  });

  it('is the only thing logged', async () => {
    logged.length = 0;
    await send('POST', '/things', {});
    await send('GET', '/things/x');
    expect(logged).toEqual([]);
  });
});
