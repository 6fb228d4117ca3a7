import path from 'node:path';
import fc from 'fast-check';
import { NOTIFICATION_KINDS } from '../contracts/kind-lists.js';
import { LOCALES } from '../contracts/locales.js';
import { SEVERITIES } from '../contracts/severities.js';
import { inputFor, KIND_DATA, render, TODAY } from './rendering.fixtures.js';
import { TemplateStore } from './template-store.js';
import type { RenderedMail } from './worded.js';

let store: TemplateStore;
beforeAll(async () => {
  store = await TemplateStore.load(path.resolve('templates'));
});

const PAYLOADS = [
  '{{constructor.constructor "return process"}}',
  '{{{title}}}{{#each this}}{{/each}}{{> content}}',
  '<script>alert(1)</script><img src=x onerror=alert(1)>',
  '"></a></td></tr></table><h1 onclick="x">',
  "' onmouseover='x",
  '<!-- --><![endif]--></style></title><svg/onload=x>',
  'hbsx0x <!--hbsx1x-->',
  'javascript:alert(1)',
  'JaVa\tScRiPt:alert(1)',
  'data:text/html,<script>x</script>',
  'https://ok.example/"><script>x</script>',
  'Subject\r\nBcc: victim@example.fr',
  '\ud800',
  'a\udc00b\u0000c\u2028',
  '$& $1 $` \\',
  ' '.repeat(100_000),
  'x'.repeat(100_000),
  '\n'.repeat(100_000),
];

const TAGS = new Set(
  'html head meta title style body div table tbody tr td p h1 h2 a br span strong'.split(' '),
);

/** Data must not add tags, attributes with code or other URL schemes, or lines to the subject. */
function expectHarmless(mail: RenderedMail): void {
  // Like browsers, treat the layout's conditional comments as comments.
  const html = mail.html.replace(/<!--\[if mso\]>[\s\S]*?<!\[endif\]-->/g, '');
  const foreign: string[] = [];
  for (const [tag, name] of html.matchAll(/<\/?([a-z][^\s/>]*)(?:"[^"]*"|'[^']*'|[^"'>])*>/gi)) {
    if (!TAGS.has(name!.toLowerCase()) || /\son\w+\s*=|javascript:|data:/i.test(tag)) foreign.push(tag);
    const href = /\shref="([^"]*)"/.exec(tag)?.[1];
    if (href !== undefined && !/^https?:\/\//.test(href)) foreign.push(tag);
  }
  expect(foreign).toEqual([]);
  expect(html.match(/<h1/g)).toHaveLength(1);
  expect(mail.html).toMatch(/<\/html>$/);
  expect(mail.subject).toMatch(/^[^\p{Cc}\u2028\u2029]{1,200}$/u);
  for (const part of [mail.subject, mail.html, mail.text]) {
    expect(part).not.toMatch(/[^\P{Cc}\n\t]|\p{Cs}/u);
    expect(part).not.toMatch(/\[object |function \w*\(/);
  }
}

const text = fc.oneof(
  fc.constantFrom(...PAYLOADS),
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
);
const name = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'toHTML', 'valueOf', 'hasOwnProperty'),
  fc.constantFrom(
    'title',
    'body',
    'tenant',
    'links',
    'locale',
    'data',
    'if',
    'each',
    'date',
    'plural',
    'length',
  ),
  fc.string(),
);
const value = fc.oneof(
  { weight: 3, arbitrary: text },
  fc.constantFrom(null, undefined, 0, -1, NaN, Infinity, 1e21, true, false),
  fc.anything({ key: name, withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
);
const FIELDS = [
  ...new Set(NOTIFICATION_KINDS.flatMap((kind) => Object.keys(KIND_DATA[kind])).concat('link_url')),
];
const data = fc
  .tuple(
    fc.dictionary(name, value, { noNullPrototype: false }),
    fc.dictionary(fc.constantFrom(...FIELDS), value),
  )
  .map(([any, fields]) => ({ ...any, ...fields }));

test('data never breaks out of a template, runs or throws', () => {
  fc.assert(
    fc.property(
      fc.record({
        kind: fc.constantFrom(...NOTIFICATION_KINDS),
        locale: fc.constantFrom(...LOCALES),
        severity: fc.constantFrom(...SEVERITIES),
        data,
        today: fc.oneof(fc.constant(TODAY), text),
        audience: fc.option(text),
        author_name: fc.option(text),
        item_url: fc.option(text),
        tenant: fc.record({ name: text, time_zone: fc.constantFrom('Europe/Paris', 'bogus', '') }),
        recipient: fc.record({ name: fc.option(text) }),
        links: fc.record({ unsubscribe_url: fc.option(text) }),
      }),
      ({ kind, ...changes }) => {
        const input = inputFor(kind, changes);
        expectHarmless(render(store, input));
        const { links, ...rest } = input;
        const items = [
          { ...rest, id: null },
          { ...inputFor('event'), id: null },
        ];
        expectHarmless(store.bundleMail(items, rest, links));
      },
    ),
    { numRuns: 400 },
  );
});

test.each(PAYLOADS.map((payload) => [JSON.stringify(payload).slice(0, 40), payload]))(
  '%s in every place of every kind',
  (_label, payload) => {
    for (const kind of NOTIFICATION_KINDS) {
      const fields = Object.fromEntries(FIELDS.map((field) => [field, payload]));
      const mail = render(
        store,
        inputFor(kind, {
          data: fields,
          author_name: payload,
          item_url: payload,
          tenant: { name: payload, time_zone: payload.slice(0, 50) },
          recipient: { name: payload },
          links: { unsubscribe_url: payload },
        }),
      );
      expectHarmless(mail);
    }
  },
);

test('an address that is not http or https is omitted with its button', () => {
  const { html, text: plain } = render(
    store,
    inputFor('welcome', {
      data: { link_url: 'javascript:alert(1)' },
      item_url: 'vbscript:x',
      links: { unsubscribe_url: 'file:///etc/passwd' },
    }),
  );
  expect(html).not.toContain('<a ');
  expect(html + plain).not.toMatch(/javascript|vbscript|passwd/);
});

test('inherited values are not printed, and an object that claims to be safe markup is not trusted', () => {
  const inherited: Record<string, unknown> = Object.create({ category: 'inherited' }) as Record<
    string,
    unknown
  >;
  inherited.client_name = { toHTML: () => '<script>', toString: () => 'owned' };
  inherited.title = ['a', 'b'];
  const mail = render(store, inputFor('deadline_near', { data: inherited }));
  expectHarmless(mail);
  expect(mail.html + mail.text).not.toMatch(/inherited|owned|a,b/);
});
