import fc from 'fast-check';
import { cpuMs } from '../../../test/support/cpu-time.js';
import { canonicalJson } from './canonical-json.js';
import { JsonFault, readJson } from './read-json.js';

function faultOf(text: string): string {
  try {
    readJson(text);
  } catch (error) {
    if (error instanceof JsonFault) return error.message;
    throw error;
  }
  return 'none';
}

describe('readJson', () => {
  it('reads everything that JSON.parse reads', () => {
    const names = fc.string().filter((name) => !['__proto__', 'constructor'].includes(name));
    fc.assert(
      fc.property(
        fc.letrec((tie) => ({
          value: fc.oneof(
            { depthSize: 'small' },
            fc.string({ unit: 'grapheme' }),
            fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0)),
            fc.boolean(),
            fc.constant(null),
            fc.array(tie('value')),
            fc.dictionary(names, tie('value')),
          ),
        })).value,
        fc.constantFrom(0, 2),
        (value, indent) => {
          const text = JSON.stringify(value, null, indent);
          expect(readJson(text)).toEqual(JSON.parse(text));
        },
      ),
    );
  });

  it.each([
    ['F3: a name that appears twice', '{"a":{"status":1,"b":[{}],"status":2}}', '/a/status: appears twice'],
    ['F3: a name that appears twice, once escaped', '{"a":1,"\\u0061":2}', '/a: appears twice'],
    ['F3: twice in a list', '[0,{"x~/":1,"x~/":2}]', '/1/x~0~1: appears twice'],
    ['S6: a lone surrogate', '{"a":["ok","\\ud800"]}', '/a/1: must be well-formed Unicode'],
    ['S6: a lone surrogate in a name', '{"a":{"\\udc00":1}}', '/a: has a name that is not well-formed'],
    ['S6: an unescaped lone surrogate', '{"a":"\ud800"}', '/a: must be well-formed Unicode'],
    ['a prototype', '{"a":{"__proto__":{}}}', '/a: must not contain the name __proto__'],
    ['an escaped prototype', '{"\\u005f_proto__":1}', 'must not contain the name __proto__'],
    ['S1: too deep', '['.repeat(33), 'must not be nested more than 32 levels'],
    ['S1: too many values', `[${'0,'.repeat(20_000)}0]`, 'it must hold at most 20000 values'],
    [
      'S1: too many names',
      JSON.stringify(Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [`k${n}`, n]))),
      'must have at most 1000 names',
    ],
    ['truncated JSON', '{"a":', 'it is not JSON'],
    ['an open text', '{"a":"b', 'it is not JSON'],
    ['two values', '1 2', 'it is not JSON'],
    ['no comma', '{"a" "a"}', 'it is not JSON'],
    ['closed too often', '{}}]]', 'it is not JSON'],
    ['nothing', '', 'it is not JSON'],
  ])('refuses %s', (_what, text, fault) => {
    expect(faultOf(text)).toContain(fault);
  });

  it('accepts surrogate pairs, and quotes and backslashes in texts', () => {
    const text = String.raw`{"\"a\\":"\ud83d\ude00\\\"","b\\":"{[,:"}`;
    expect(readJson(text)).toEqual({ '"a\\': '😀\\"', 'b\\': '{[,:' });
  });

  it('S1: stays linear on hostile input', () => {
    const began = cpuMs();
    for (const text of [
      '\\'.repeat(1_000_000),
      `"${'\\'.repeat(1_000_000)}`,
      `["${'\\"'.repeat(500_000)}"]`,
      `[${'"",'.repeat(300_000)}`,
      '{'.repeat(1_000_000),
      `{${Array.from({ length: 80_000 }, (_, n) => `"k${n}":1`).join()}}`,
      ' '.repeat(1_000_000),
    ]) {
      faultOf(text);
    }
    expect(cpuMs() - began).toBeLessThan(1_000);
  });
});

describe('canonicalJson', () => {
  it('does not depend on the order of names', () => {
    expect(canonicalJson({ b: [{ d: 1, c: null }], a: 'x' })).toBe('{"a":"x","b":[{"c":null,"d":1}]}');
    expect(canonicalJson({ a: 'x', b: [{ c: null, d: 1 }] })).toBe('{"a":"x","b":[{"c":null,"d":1}]}');
    expect(canonicalJson(null)).toBe('null');
  });
});
