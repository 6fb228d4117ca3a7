import { readFileSync } from 'node:fs';
import path from 'node:path';
import { inputFor } from '../rendering.fixtures.js';
import { TemplateStore } from '../template-store.js';
import { AdaptedPart } from './adapted-part.js';
import { HELPER_DOCS, withReference } from './document.js';
import { HELPER_NAMES } from './program.js';

test('docs/templates.md has the fields and helpers of this code (npm run docs)', () => {
  const page = readFileSync('docs/templates.md', 'utf8');
  expect(withReference(page)).toBe(page);
});

test('every helper is documented', () => {
  expect(Object.keys(HELPER_DOCS).sort()).toEqual([...HELPER_NAMES, 'each', 'if'].sort());
});

test.each(Object.entries(HELPER_DOCS))('the example of %s is a template', async (_name, [example]) => {
  const store = await TemplateStore.load(path.resolve('templates'));
  const sources = store.sourcesOf('weekly_summary', 'en')!;
  const part = AdaptedPart.compile('body', example, { sources, files: store.files });
  const { data, tenant, today, author_name } = inputFor('weekly_summary');
  expect(typeof part.render({ data, tenant, today, author: { name: author_name } }, null)).toBe('string');
});
