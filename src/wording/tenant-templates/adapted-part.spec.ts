import path from 'node:path';
import { NOTIFICATION_KINDS } from '../../contracts/kind-lists.js';
import { type Locale, LOCALES } from '../../contracts/locales.js';
import { inputFor } from '../rendering.fixtures.js';
import { TEMPLATE_PARTS, type TemplatePart } from '../template-files.js';
import { TemplateStore } from '../template-store.js';
import { type BrokenPart, CompiledParts, TenantTemplates } from './tenant-templates.js';

let store: TemplateStore;
beforeAll(async () => {
  store = await TemplateStore.load(path.resolve('templates'));
});

function ownOf(kind: string, locale: Locale, parts: Partial<Record<TemplatePart, string>>) {
  const broken: BrokenPart[] = [];
  const stored = Object.entries(parts).map(([part, source]) => ({
    kind,
    locale,
    part: part as TemplatePart,
    source,
    updated_at: new Date(0),
  }));
  const own = new TenantTemplates('v1', stored, new CompiledParts(), (found) => broken.push(found));
  return { own, broken };
}

const everything = LOCALES.flatMap((locale) => NOTIFICATION_KINDS.map((kind) => ({ locale, kind })));

describe('a tenant that starts from the built-in templates', () => {
  test.each(everything)('of $kind in $locale sends exactly the built-in words', ({ kind, locale }) => {
    const sources = store.sourcesOf(kind, locale)!;
    const parts = Object.fromEntries(TEMPLATE_PARTS.map((part) => [part, sources[part]!.source]));
    const { own, broken } = ownOf(kind, locale, parts);
    for (const data of [inputFor(kind).data, {}]) {
      const { links, ...rest } = inputFor(kind, { locale, data });
      const item = { ...rest, id: null };
      const adapted = store.itemMail(item, { ...rest, own }, links);
      const builtIn = store.itemMail(item, rest, links);
      expect(broken).toEqual([]);
      expect(adapted.subject).toBe(builtIn.subject);
      expect(adapted.text).toBe(builtIn.text);
      expect(adapted.html.replaceAll('&nbsp;', '\u00a0')).toBe(builtIn.html.replaceAll('&nbsp;', '\u00a0'));
      expect(store.words(item, { ...rest, own })).toEqual(store.words(item, rest));
    }
  });
});
