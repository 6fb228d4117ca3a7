import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { inlineCss } from './inline-css.js';
import { inputFor, render } from './rendering.fixtures.js';
import { TemplateStore } from './template-store.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'vigie-templates-'));
  await cp(path.resolve('templates'), directory, { recursive: true });
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const write = (file: string, source: string): Promise<void> => writeFile(path.join(directory, file), source);

async function fault(): Promise<string> {
  try {
    await TemplateStore.load(directory);
  } catch (error) {
    return (error as Error).message.slice(directory.length + 1);
  }
  return 'loaded';
}

test('a new kind needs only new files', async () => {
  for (const locale of ['fr', 'en']) {
    await write(`${locale}/ticket_late.title.hbs`, `${locale} & {{data.ticket}}`);
    await write(`${locale}/ticket_late.body.hbs`, '{{data.ticket}}');
    await write(`${locale}/ticket_late.html.hbs`, '<h1 class="title">{{data.ticket}}</h1>');
    await write(`${locale}/ticket_late.text.hbs`, '{{ticket}}');
  }
  const store = await TemplateStore.load(directory);
  expect(store.kinds()).toContain('ticket_late');
  const mail = render(store, { ...inputFor('event', { data: { ticket: 'T-7' } }), kind: 'ticket_late' });
  expect(mail.subject).toBe('fr & T-7');
  expect(mail.html).toContain('<title>fr &amp; T-7</title>');
  expect(mail.html).toMatch(/<h1 class="title" style="[^"]+">T-7<\/h1>/);
  expect(mail.text).toContain('\nT-7\n');
});

test.each([
  'en/welcome.text.hbs',
  'fr/test.title.hbs',
  'fr/test.body.hbs',
  'fr/bundle.title.hbs',
  'en/locale.json',
  'base.html.hbs',
  'base.text.hbs',
  'parts.html.hbs',
  'parts.text.hbs',
  'en/strings.json',
  'en/reasons.json',
])('reports that %s is missing', async (file) => {
  await rm(path.join(directory, file));
  expect(await fault()).toBe(`${file}: is missing`);
});

test('reports that a locale or the fallback is missing', async () => {
  await rm(path.join(directory, 'en'), { recursive: true });
  expect(await fault()).toMatch(/^en: ENOENT/);
  await cp(path.resolve('templates/en'), path.join(directory, 'en'), { recursive: true });
  for (const locale of ['fr', 'en']) {
    for (const part of ['title', 'body', 'html', 'text'])
      await rm(path.join(directory, `${locale}/event.${part}.hbs`));
  }
  await expect(TemplateStore.load(directory)).rejects.toThrow('has no "event" template');
});

test.each([
  ['fr/test.text.hbs', '{{#if data}} never closed', 'Parse error'],
  ['fr/test.title.hbs', '{{title', 'Parse error'],
  ['base.html.hbs', '{{/if}}', 'Parse error'],
  ['en/strings.json', '{', 'JSON'],
  ['en/strings.json', '{"due": 1}', '"due" is not a text'],
  ['fr/reasons.json', '{"sent": null}', '"sent" is not a text'],
  ['fr/test.htm.hbs', 'x', 'is not named'],
  ['fr/test.html.hbs', '{{> strings.nowhere}}', 'no part "strings.nowhere"'],
  ['fr/test.text.hbs', '{{> (eq data "partial")}}', 'not allowed'],
  ['fr/test.text.hbs', '{{#*inline "loop"}}{{> loop}}{{/inline}}{{> loop}}', 'not allowed'],
  ['fr/test.text.hbs', '{{shout title}}', 'no helper "shout"'],
  ['fr/test.text.hbs', '{{lookup data title}}', 'no helper "lookup"'],
  ['fr/test.html.hbs', '<p>{{{body}}}</p>', 'would not be escaped'],
  ['fr/test.html.hbs', '<p>{{&body}}</p>', 'would not be escaped'],
  ['fr/test.html.hbs', '<a href="{{link_url}}">x</a>', 'write {{http_url …}} instead of {{link_url}}'],
  ['fr/test.html.hbs', '<p style="color: {{title}}">x</p>', 'is not allowed in style'],
  ['fr/test.html.hbs', '<p onclick="{{title}}">x</p>', 'is not allowed in onclick'],
  ['fr/test.html.hbs', '<script>{{title}}</script>', 'must not contain a script'],
  [
    'fr/test.html.hbs',
    '<style>p { color: {{title}} }</style>',
    'must not contain a script, or an expression in a style',
  ],
  ['fr/test.html.hbs', '<p title={{title}}>x</p>', 'must be in a quoted value'],
  ['fr/test.html.hbs', '<{{title}}>', 'must be in a quoted value: <{{title}}>'],
  ['fr/test.html.hbs', '<table><tr><td>{{title}}</td></tr></table>', 'not well-formed HTML near <tr'],
  ['fr/test.html.hbs', '<p>{{title}}<div></div>', 'not well-formed'],
])('refuses %s with %s', async (file, source, message) => {
  await write(file, source);
  const found = await fault();
  expect(found).toContain(message);
  // A fault of the base as a whole may be found in the first template that uses it.
  expect(found).toMatch(new RegExp(`^${file}(:\\d+)?: `));
});

test.each([
  ['en/deadline_near.body.hbs', 'one\n{{#if data}}\nthree', 'Parse error on line 3'],
  ['fr/test.html.hbs', '<p>one</p>\n\n<p>{{#if (shout title)}}!{{/if}}</p>', 'there is no helper "shout"'],
  ['base.text.hbs', 'one\ntwo\n{{#with data}}{{/with}}', 'there is no helper "with"'],
  // These would throw only at the first mail.
  ['fr/test.text.hbs', 'one\ntwo\n{{#if}}x{{/if}}', '"if" takes one argument'],
  ['fr/test.body.hbs', 'one\ntwo\n{{#unless title body}}x{{/unless}}', '"unless" takes one argument'],
  ['parts.text.hbs', 'one\ntwo\n{{#each}}x{{/each}}', '"each" takes one argument'],
])('reports the line of %s', async (file, source, message) => {
  await write(file, source);
  expect(await fault()).toMatch(new RegExp(`^${file}:3: ${message}`));
});

test('a declared kind without files is reported', async () => {
  // The files are read concurrently: any of them may be missed first.
  await expect(TemplateStore.load(directory, ['ticket_late'])).rejects.toThrow(
    new RegExp(`^${directory}/fr/ticket_late\\.\\w+\\.hbs: is missing`),
  );
});

describe('inlineCss', () => {
  const page = (body: string): string =>
    `<!DOCTYPE html><html><head><title>{{a}} & {{#if b}}"c"{{/if}}</title><style>.x { color: red }</style></head><body>${body}</body></html>`;

  test('keeps the position of every expression, even between table rows and in attributes', () => {
    const body =
      '<table><tbody>{{#each rows as |row|}}<tr class="x"><td class="x" title="{{row.a}} {{eq "}}" \'<\'}}">{{row}}</td></tr>{{/each}}</tbody></table>' +
      '<!--[if mso]>{{mso}}<![endif]--><a class="x" href="{{http_url u}}">{{~u~}}</a>';
    const inlined = inlineCss(page(body), 'x');
    expect(inlined).toContain('<title>{{a}} &amp; {{#if b}}"c"{{/if}}</title>');
    expect(inlined).toContain('<tbody>{{#each rows as |row|}}<tr class="x" style="color: red;">');
    expect(inlined).toContain('title="{{row.a}} {{eq "}}" \'<\'}}"');
    expect(inlined).toContain('{{row}}</td></tr>{{/each}}</tbody></table><!--[if mso]>{{mso}}<![endif]-->');
    expect(inlined).toMatch(/<a [^>]*href="\{\{http_url u\}\}"[^>]*>\{\{~u~\}\}<\/a>/);
    expect(inlined).not.toContain('<style');
  });
});

test('the templates hold no byte order mark and no tab', async () => {
  expect(await readFile(path.join(directory, 'base.html.hbs'), 'utf8')).not.toMatch(/[\ufeff\t]/);
});
