import fc from 'fast-check';
import { isUUID } from 'class-validator';
import { Problem } from '../errors/problem.js';
import { decodeCursor, encodeCursor, isInstantKey, pageOf } from './cursor.js';

const any = () => true;

function refusal(cursor: string, checks: readonly ((key: string) => boolean)[]): unknown {
  try {
    return decodeCursor(cursor, checks);
  } catch (error) {
    return error instanceof Problem ? error.code : error;
  }
}

describe('a cursor', () => {
  it('returns the keys it was made of, as text', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.integer()), { minLength: 1, maxLength: 4 }), (keys) => {
        const cursor = encodeCursor(keys);
        expect(cursor).toMatch(/^[\w-]*$/);
        expect(
          decodeCursor(
            cursor,
            keys.map(() => any),
          ),
        ).toEqual(keys.map(String));
      }),
    );
  });

  const instant = '2026-03-02T08:00:00.000Z';
  const id = '0199f3c4-0000-7000-8000-000000000001';
  const checks = [isInstantKey, (key: string) => isUUID(key)];
  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

  it('passes its checks when it is ours', () => {
    expect(refusal(encodeCursor([instant, id]), checks)).toEqual([instant, id]);
  });

  it.each([
    ['nothing', ''],
    ['invalid base64', '%%%'],
    ['invalid JSON', Buffer.from('{').toString('base64url')],
    ['another shape', encoded({ a: 1 })],
    ['a text', encoded('x')],
    ['null', encoded(null)],
    ['too few keys', encoded([instant])],
    ['too many keys', encoded([instant, id, 1])],
    ['a key of another type', encoded([instant, 5])],
    ['a key that is null', encoded([null, id])],
    ['a key that is an object', encoded([instant, { toString: 'x' }])],
    ['a key that holds a list', encoded([[instant, instant], id])],
    ['SQL', encoded([`${instant}' OR 1=1`, id])],
    ['an instant that does not exist', encoded(['2026-02-30T25:00:00.000Z', id])],
    ['a NUL', encoded([instant, `${id}\u0000`])],
    ['100,000 levels', Buffer.from('['.repeat(100_000)).toString('base64url')],
  ])('is refused for %s', (_what, cursor) => {
    expect(refusal(cursor, checks)).toBe('invalid_cursor');
  });

  it('made of any text is refused or passes its checks', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(refusal(text, checks)).toBe('invalid_cursor');
      }),
    );
  });
});

describe('pageOf', () => {
  const rows = [3, 2, 1].map((id) => ({ id }));
  const page = (limit: number) =>
    pageOf(
      rows,
      limit,
      ({ id }) => [id],
      ({ id }) => id,
    );

  it('cuts the extra row, and its cursor follows the last one shown', () => {
    expect(page(2)).toEqual({ data: [3, 2], next_cursor: encodeCursor([2]) });
  });

  it('ends without a cursor on the last page', () => {
    expect(page(3)).toEqual({ data: [3, 2, 1], next_cursor: null });
    expect(page(200)).toEqual({ data: [3, 2, 1], next_cursor: null });
  });

  it('is empty without rows', () => {
    expect(
      pageOf(
        [],
        5,
        () => [],
        () => 0,
      ),
    ).toEqual({ data: [], next_cursor: null });
  });
});
