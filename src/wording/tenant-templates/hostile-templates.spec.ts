import path from 'node:path';
import fc from 'fast-check';
import { cpuMs } from '../../../test/support/cpu-time.js';
import type { NotificationKind } from '../../contracts/kinds.js';
import { inputFor } from '../rendering.fixtures.js';
import { TEMPLATE_PARTS, type TemplatePart } from '../template-files.js';
import { TemplateStore } from '../template-store.js';
import type { MessageLinks, Reader, RenderedMail, WordedItem, Words } from '../worded.js';
import { MAX_SOURCE } from './adapted-part.js';
import { type BrokenPart, CompiledParts, TenantTemplates } from './tenant-templates.js';

/** What a template must never print: the links that act for their holder, and what the process knows. */
const LINK = 'https://vigie.example.fr/password#secret-link';
const ACT = 'https://vigie.example.fr/alerts/secret-act';
const UNSUBSCRIBE = 'https://vigie.example.fr/unsubscribe/secret-token';
const CANARY = 'canary-of-the-environment';
/** CPU time of compiling and rendering all four parts, in ms. */
const MAX_MS = 1_000;

let store: TemplateStore;
beforeAll(async () => {
  process.env.TEMPLATE_CANARY = CANARY;
  store = await TemplateStore.load(path.resolve('templates'));
});
afterAll(() => {
  delete process.env.TEMPLATE_CANARY;
});

interface Result {
  mail: RenderedMail;
  words: Words;
  reasons: string[];
  ms: number;
  builtIn: { mail: RenderedMail; words: Words };
}

/** Renders a notification of a tenant that has this source as this part. */
function send(
  part: TemplatePart,
  source: string,
  kind: NotificationKind = 'weekly_summary',
  data: Record<string, unknown> = inputFor(kind).data,
): Result {
  const broken: BrokenPart[] = [];
  const stored = { kind, locale: 'fr', part, source, updated_at: new Date(0) };
  const own = new TenantTemplates('v1', [stored], new CompiledParts(), (found) => broken.push(found));
  const rest = inputFor(kind, {
    data: { ...data, ...(kind === 'welcome' && { link_url: LINK }) },
  });
  const item: WordedItem = { ...rest, id: null, act_url: ACT };
  const links: MessageLinks = { unsubscribe_url: UNSUBSCRIBE };
  const render = (reader: Reader) => ({
    mail: store.itemMail(item, reader, links),
    words: store.words(item, reader),
  });
  const builtIn = render(rest);
  const began = cpuMs();
  const { mail, words } = render({ ...rest, own });
  return { mail, words, reasons: broken.map(({ reason }) => reason), ms: cpuMs() - began, builtIn };
}

function expectHarmless(part: TemplatePart, { mail, words, ms, reasons, builtIn }: Result): void {
  expect(ms).toBeLessThan(MAX_MS);
  const everything = [mail.subject, mail.text, mail.html, words.title, words.body].join('\n');
  expect(everything).not.toContain(CANARY);
  expect(everything).not.toMatch(/\[object |function \w*\(|native code/);
  // The layout prints the link to unsubscribe once in each part of a mail, and nothing else may.
  expect(everything.split('secret-token')).toHaveLength(builtIn.mail.html.includes('secret-token') ? 3 : 1);
  const links = (text: string) => text.split('secret-link').length;
  for (const text of [mail.subject, words.title, words.body]) expect(text).not.toMatch(/secret-/);
  expect(links(mail.text)).toBeGreaterThanOrEqual(links(builtIn.mail.text));
  for (const line of [mail.subject, words.title])
    expect(line).toMatch(/^[^\p{Cc}\u2028-\u202e\u2066-\u2069]{1,200}$/u);
  expect(everything.length).toBeLessThan(1_000_000);
  expectSafeHtml(mail.html);
  // A broken part is replaced: the mail is the built-in one.
  if (reasons.length > 0) expect({ ...mail, [part]: '' }).toEqual({ ...builtIn.mail, [part]: '' });
  if (reasons.length > 0 && (part === 'html' || part === 'text')) expect(mail[part]).toBe(builtIn.mail[part]);
}

const UNSAFE =
  /^<(?!\/)(?:script|style|img|iframe|form|input|button|svg|math|object|embed|link|meta|base|video|audio)\b/i;

function expectSafeHtml(html: string): void {
  const body = html.slice(html.indexOf('<body')).replace(/<!--\[if mso\]>[\s\S]*?<!\[endif\]-->/g, '');
  for (const [tag] of body.matchAll(/<\/?[a-z](?:"[^"]*"|'[^']*'|[^"'>])*>/gi)) {
    expect(tag).not.toMatch(UNSAFE);
    expect(tag).not.toMatch(/\son\w+\s*=|javascript:|vbscript:|data:|url\(|expression\(/i);
    const [, href] = /\shref="([^"]*)"/.exec(tag) ?? [];
    if (href !== undefined) expect(href).toMatch(/^(?:https?:\/\/|mailto:)/);
    // A link to elsewhere must not carry a one-time link.
    if (href?.includes('secret') === true)
      expect(href.replaceAll('&#x3D;', '=')).toMatch(/^https:\/\/vigie\.example\.fr\//);
  }
  expect(body).toMatch(/<\/html>\s*$/);
}

const REFUSED: readonly [TemplatePart, string, RegExp][] = [
  ['title', '{{#if data}} never closed', /line 1, column \d+: /],
  ['title', 'one\n{{title', /^line 2, column 1: this expression has no end/],
  ['body', 'one\n  {{shout title}}', /^line 2, column 3: there is no helper "shout"/],
  ['body', '{{#if (shout title)}}x{{/if}}', /^line 1, column 7: there is no helper "shout"/],
  ['body', '{{lookup data "title"}}', /there is no helper "lookup"/],
  ['body', '{{#with data}}{{title}}{{/with}}', /"with" is not a block/],
  ['body', '{{log title}}', /there is no helper "log"/],
  ['body', '{{helperMissing title}}', /there is no helper/],
  ['body', '{{#data}}x{{/data}}', /"data" is not a block/],
  ['body', '{{#if}}x{{/if}}', /"if" takes one argument/],
  ['body', '{{#each a b}}x{{/each}}', /"each" takes one argument/],
  ['body', '{{#if data}}x{{/each}}', /^line 1, column 4: if doesn't match each/],
  ['body', '{{plural}}', /"plural" is a helper/],
  ['body', '{{date today style="x"}}', /takes no named values/],
  ['body', '{{data.nothing}}', /there is no field "data.nothing"/],
  ['body', '{{password}}', /there is no field "password"/],
  ['body', '{{process.env.TEMPLATE_CANARY}}', /there is no field "process"/],
  ['body', '{{constructor.constructor}}', /"constructor" is not a field/],
  ['body', '{{data.__proto__.x}}', /"__proto__" is not a field/],
  ['body', '{{#each data.late}}{{this.constructor.name}}{{/each}}', /"constructor" is not a field/],
  ['body', '{{data.[constructor]}}', /"constructor" is not a field/],
  ['body', '{{{title}}}', /values are always escaped/],
  ['html', '<p>{{{title}}}</p>', /values are always escaped/],
  ['html', '<p>{{&title}}</p>', /values are always escaped/],
  ['html', '{{{{raw}}}}{{title}}{{{{/raw}}}}', /values are always escaped/],
  ['text', '{{> (eq data "x")}}', /write \{\{> name\}\}/],
  ['text', '{{> nowhere}}', /there is no part "nowhere"/],
  ['text', '{{> content}}', /there is no part "content"/],
  ['text', '{{> [../../etc/passwd]}}', /there is no part/],
  ['text', '{{#> reason}}x{{/reason}}', /not allowed/],
  ['text', '{{#*inline "loop"}}{{> loop}}{{/inline}}{{> loop}}', /not allowed/],
  ['text', '{{#*inline "a"}}{{> b}}{{/inline}}{{#*inline "b"}}{{> a}}{{/inline}}{{> a}}', /not allowed/],
  ['text', '{{#*inline "a"}}x', /has no \{\{\/inline\}\}/],
  ['text', '{{#if data}}{{#*inline "a"}}x{{/inline}}{{/if}}', /cannot be inside a block/],
  ['text', '{{* decorator}}', /./],
  [
    'text',
    `{{#*inline "a"}}${'{{> b}}'.repeat(1_000)}{{/inline}}{{#*inline "b"}}${'x'.repeat(9_000)}{{/inline}}{{> a}}`,
    /longer than/,
  ],
  [
    'text',
    `{{#*inline "a"}}${'x'.repeat(9_000)}{{/inline}}{{#*inline "b"}}${'{{> a}}'.repeat(20)}{{/inline}}{{> b}}`,
    /longer than/,
  ],
  ['text', '{{@link_url}}', /"@link_url" is not allowed/],
  ['html', '<p>{{@unsubscribe_url}}</p>', /"@unsubscribe_url" is not allowed/],
  ['text', '{{@root.link_url}}', /not allowed/],
  ['text', '{{@formats.locale}}', /not allowed/],
  ['html', '<p>{{@act_url}}</p>', /"@act_url" is not allowed/],
  ['text', '{{link_url}}', /inserted as \{\{> link_button\}\}/],
  ['text', '{{data.link_url}}', /inserted as \{\{> link_button\}\}/],
  ['text', '{{> strings.hello}}{@link_url}}', /a brace is only allowed/],
  ['text', '{{#*inline "a"}}{{{/inline}}{{> a}}{@link_url}}', /./],
  ['html', '<p>&#123;&#123;@link_url&#125;&#125;</p>', /braces are only for expressions/],
  ['html', '<p>&lbrace;&lbrace;@link_url&rcub;&rcub;</p>', /./],
  [
    'html',
    '<p>{{> link_button}}</p><a href="https://e.example/?&#104;bsx0x">x</a>',
    /braces are only for expressions|not allowed|not an? /,
  ],
  ['html', '<p>hbsx0x</p>', /must not contain/],
  ['html', '<p>&#x202e;x</p>', /character reference/],
  ['html', '<p>\u202ex</p>', /^line 1, column 4: the character U\+202E is not allowed/],
  ['title', 'a\u0000b', /U\+0000/],
  ['title', 'a\ud800b', /U\+D800/],
  ['text', 'a\\{{title}}', /a backslash before/],
  ['text', '{{choose kind x="\\"}}"}}', /./],
  ['text', '{{choose kind x="{{!"}}', /./],
  ['text', '{{!-- {{title}} --}}', /this expression has no end/],
  ['html', '<script>alert(1)</script>', /^line 1, column 1: <script> is not allowed/],
  ['html', '<p>x</p>\n<img src="https://track.example/x.gif">', /^line 2, column 1: <img> is not allowed/],
  ['html', '<style>p</style>', /<style> is not allowed/],
  ['html', '<p style="background: url(https://t.example/x)">x</p>', /^line 1, column 4: the attribute style/],
  ['html', '<p onclick="x()">x</p>', /the attribute onclick is not allowed/],
  ['html', '<p title="x" onmouseover=x>x</p>', /not allowed|without quotes/],
  ['html', '<a href="javascript:alert(1)">x</a>', /an address is http:/],
  ['html', '<a href="JaVa\tScRiPt:alert(1)">x</a>', /an address is http:/],
  ['html', '<a href="java&#115;cript:alert(1)">x</a>', /an address is http:/],
  ['html', '<a href="//evil.example/">x</a>', /an address is http:/],
  ['html', '<a href="{{data.period.from}}">x</a>', /an address is http:/],
  ['html', '<a href="https://evil.example/?{{http_url links.item_url}}">x</a>', /an address is http:/],
  ['html', '<a href="https://evil.example/?{{> link_button}}">x</a>', /an address is http:/],
  ['html', '<a href="mailto:a@b.fr?bcc=c@d.fr">x</a>', /an address is http:/],
  ['html', '<a href="https://evil.example/?', /an address is http:/],
  ['html', '<p class="{{title}}">x</p>', /class cannot hold an expression/],
  ['html', '<p class="{{> strings.hello}}">x</p>', /class cannot hold an expression/],
  ['html', '<{{title}}>', /cannot be the name/],
  ['html', '<p {{title}}>x</p>', /only allowed as the address/],
  ['html', '<form action="https://evil.example/"><input name="x"></form>', /<form> is not allowed/],
  ['html', '<iframe src="https://evil.example/"></iframe>', /<iframe> is not allowed/],
  ['html', '<svg/onload=alert(1)>', /<svg> is not allowed/],
  ['html', '<base href="https://evil.example/">', /<base> is not allowed/],
  ['html', '<meta http-equiv="refresh" content="0">', /<meta> is not allowed/],
  ['html', '<!-- x --><p>x</p>', /HTML comments are not kept/],
  ['html', '<!--[if mso]><p>x</p><![endif]-->', /HTML comments are not kept/],
  ['html', '<p>x', /<p> is not closed/],
  ['html', '</td></tr></table><h1>x</h1>', /^line 1, column 1: <\/td> closes an element/],
  [
    'html',
    '{{#if title}}<table><tr><td>{{/if}}</td></tr></table>',
    /<td> is not closed where its block ends/,
  ],
  ['html', '{{#if title}}<p>{{else}}<div>{{/if}}x</p>', /not closed where its block ends/],
  ['html', '{{#*inline "a"}}<p>{{/inline}}{{> a}}</p>', /not closed/],
  ['html', '<p class="x" class="y">x</p>', /is there twice/],
  ['html', '<'.repeat(19_000), /write &lt;/],
  ['html', '<a '.repeat(6_000), /without quotes|no end/],
  ['html', '<div>'.repeat(3_000), /nested too deeply/],
  ['html', '<div>'.repeat(1_600) + '</div>'.repeat(1_600), /nested too deeply/],
  ['text', '{{#if data}}'.repeat(800) + '{{/if}}'.repeat(800), /nested too deeply/],
  ['text', `{{${'(any '.repeat(1_500)}title${')'.repeat(1_500)}}}`, /nested too deeply/],
  ['text', `{{any ${'(any '.repeat(1_500)}title${')'.repeat(1_500)}}}`, /nested too deeply/],
  ['text', '{{'.repeat(10_000), /this expression has no end|two braces/],
  ['text', '{{!--'.repeat(4_000), /this expression has no end/],
  ['text', '{{#*inline "a"}}'.repeat(1_200), /an inline cannot be inside another/],
  ['text', 'x'.repeat(MAX_SOURCE + 1), /longer than 20000 characters/],
];

test('the table of refused templates names each once', () => {
  expect(new Set(REFUSED.map(([part, source]) => `${part} ${source}`)).size).toBe(REFUSED.length);
});

test.each(
  REFUSED.map(
    ([part, source, reason]) => [part, JSON.stringify(source).slice(0, 70), source, reason] as const,
  ),
)(
  'B9: hostile template: %s %s is refused, and the built-in words are sent',
  (part, _shown, source, reason) => {
    for (const kind of ['weekly_summary', 'welcome'] as const) {
      const result = send(part, source, kind);
      expectHarmless(part, result);
      expect(result.mail).toEqual(result.builtIn.mail);
      expect(result.words).toEqual(result.builtIn.words);
      expect(result.reasons).toHaveLength(1);
    }
    expect(send(part, source).reasons[0]).toMatch(reason);
  },
);

describe('B9: a template that would take too long', () => {
  const list = Array.from({ length: 3_000 }, (_, index) => ({
    title: `n${index}`,
    at: '2025-11-03T08:00:00Z',
  }));
  const data = { kind: null, title: 'x', body: 'y '.repeat(5_000), data: { list } };

  test.each([
    [
      'nested loops',
      '{{#each data.data.list}}{{#each @root.data.data.list}}{{#each ../../list}}x{{/each}}x{{/each}}{{/each}}',
    ],
    [
      'nested loops over one list',
      '{{#each data.data.list as |a|}}{{#each @root.data.data.list as |b|}}{{a.title}}{{/each}}{{/each}}',
    ],
    ['dear helpers in a loop', '{{#each data.data.list}}{{instant at}}{{instant at}}{{/each}}'],
    ['many expressions', '{{instant created_at}}'.repeat(900)],
    ['one long text, often', '{{#each data.data.list}}{{@root.data.body}}{{/each}}'],
    [
      'paragraphs in a loop',
      '{{#each data.data.list}}{{#each (paragraphs @root.data.body)}}{{#each this}}{{#each (pieces this)}}{{text}}{{/each}}{{/each}}{{/each}}{{/each}}',
    ],
  ])('%s: stops, and the built-in words are sent', (_name, source) => {
    const written = source.replaceAll('@root.data', '../data').replaceAll('@root', '..');
    for (const tried of [source, written]) {
      const result = send('body', tried, 'message', data);
      expect(result.ms).toBeLessThan(MAX_MS);
      expect(result.words.body.length).toBeLessThan(200_001);
      if (result.reasons.length > 0) expect(result.words).toEqual(result.builtIn.words);
    }
    expect([
      ...send('body', source, 'message', data).reasons,
      ...send('body', written, 'message', data).reasons,
    ]).not.toEqual([]);
  });
});

describe('B9: what a template may do stays bounded and safe', () => {
  test('a title is one line, whatever it prints', () => {
    const { words, mail } = send('title', 'A\n{{data.title}}\nB', 'deadline_near', {
      title: 'x\r\nBcc: a@b.fr\u202e',
    });
    expect(words.title).toBe('A x Bcc: a@b.fr B');
    expect(mail.subject).toBe(words.title);
  });

  test('a title that prints nothing is the built-in one', () => {
    const { words, builtIn } = send('title', '{{data.category}}', 'deadline_near', {
      title: 'TVA',
      due_on: '2025-11-06',
    });
    expect(words.title).toBe(builtIn.words.title);
  });

  test('values are escaped in HTML', () => {
    const { mail } = send('html', '<p>{{data.title}}</p>', 'deadline_near', { title: '<b onclick="x">' });
    expect(mail.html).toContain('<p style="margin: 0 0 16px;">&lt;b onclick&#x3D;&quot;x&quot;&gt;</p>');
  });

  test('a one-time link stays where the built-in mail has it', () => {
    const source =
      '{{#*inline "action"}}{{/inline}}<p>{{#each data}}{{@key}}={{this}} {{/each}}{{#each this}}{{this}}{{/each}}{{#each links}}{{this}}{{/each}}</p>{{> link_button}}';
    const { mail, reasons, builtIn } = send('html', source, 'welcome');
    expect(reasons).toEqual([]);
    const links = (html: string) => [...html.matchAll(/secret-link/g)].length;
    expect(links(mail.html)).toBe(links(builtIn.mail.html));
    // Only {{> button}}, the default of "action", would print it.
    expect(mail.html).not.toContain('secret-act');
    expect(send('html', '<p>{{title}}</p>', 'welcome').reasons).toEqual([
      'this mail carries a one-time link: insert {{> link_button}}',
    ]);
  });
});

const atom = fc.constantFrom(
  ...[
    '{{',
    '}}',
    '{{{',
    '}}}',
    '{',
    '}',
    '{{#if ',
    '{{#each ',
    '{{else}}',
    '{{/if}}',
    '{{/each}}',
    '{{> ',
    '{{#*inline "a"}}',
  ],
  ...[
    '{{/inline}}',
    '{{> a}}',
    '{{> link_button}}',
    '{{> strings.hello}}',
    '{{title}}',
    '{{data.title}}',
    '{{this}}',
    '{{../this}}',
  ],
  ...[
    '{{@link_url}}',
    '{{@root}}',
    '{{#each this}}{{this}}{{/each}}',
    '{{#each data}}{{@key}}{{this}}{{/each}}',
  ],
  ...[
    '{{http_url links.item_url}}',
    '{{instant created_at}}',
    '(any ',
    ')',
    '"',
    "'",
    '\\',
    '|x|',
    ' as ',
    '~',
    '^',
    '&',
    '!',
    '--',
  ],
  ...[
    '<p>',
    '</p>',
    '<a href="',
    '">',
    '</a>',
    '<script>',
    '<img src=x onerror=x>',
    '<table><tr><td>',
    '</td></tr></table>',
  ],
  ...[
    '<!--',
    '-->',
    '&#123;',
    '&lt;',
    '&#x202e;',
    ' class="x"',
    ' onclick="x"',
    'javascript:',
    'hbsx0x',
    '\n',
    '\r\n',
    '\u202e',
  ],
  ...[
    'constructor',
    '__proto__',
    'link_url',
    'process',
    'data.late',
    'data',
    'x',
    ' ',
    'é',
    '😀',
    '\ud800',
    '\u0000',
  ],
);
const soup = fc.array(fc.oneof({ weight: 5, arbitrary: atom }, fc.string({ maxLength: 5 })), {
  maxLength: 40,
});

test('B9: 500 generated templates read nothing forbidden, do not hang, and do not break a send', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...TEMPLATE_PARTS),
      soup.map((pieces) => pieces.join('')),
      fc.constantFrom<NotificationKind>('weekly_summary', 'welcome', 'deadline_near', 'message'),
      (part, source, kind) => expectHarmless(part, send(part, source, kind)),
    ),
    { numRuns: 500, seed: 20261130 },
  );
});
