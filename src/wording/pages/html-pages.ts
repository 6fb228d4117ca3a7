import { type Locale, LOCALES } from '../../contracts/locales.js';
import { composePage } from '../compose.js';
import { checkSyntax, compileTemplate, type CompiledTemplate } from '../engine.js';
import { TemplateError } from '../template-error.js';
import { checkPageMarkup } from './page-markup.js';
import { type PageFile, type PageFiles, type PageName, type PageWords, readPageFiles } from './page-files.js';

/** Words of `pages.json` used only on pages that a package renders. */
const LABELS = ['board_log_out', 'board_note'] as const;
export type PageLabel = (typeof LABELS)[number];

const WORD = /\{\{>\s*strings\.(\w+)\s*\}\}/g;

/** The pages for browsers, from `templates/pages/`: compiled once, so that rendering does no I/O. */
export class HtmlPages {
  private constructor(
    private readonly templates: ReadonlyMap<string, CompiledTemplate>,
    private readonly words: ReadonlyMap<Locale, PageWords>,
  ) {}

  /**
   * Reads and compiles every page in every locale: a fault fails the start, not the first visit.
   * @throws TemplateError whose message starts with the file, and the line if known.
   */
  static async load(directory: string): Promise<HtmlPages> {
    const files = await readPageFiles(directory);
    checkSyntax(files.layout);
    const templates = new Map<string, CompiledTemplate>();
    for (const [page, file] of files.pages) {
      checkSyntax(file);
      for (const [locale, words] of files.words) {
        templates.set(keyOf(page, locale), compilePage(file, words, files));
      }
    }
    for (const { file, strings } of files.words.values()) checkWords(file, strings, LABELS);
    return new HtmlPages(templates, files.words);
  }

  /**
   * @param nonce of the answer's policy, for its style and script (`platform/http/html-page.ts`)
   * @param values shown on the page; escaped.
   */
  render(page: PageName, locale: Locale, nonce: string, values: object = {}): string {
    const template = this.templates.get(keyOf(page, locale));
    if (template === undefined) throw new TemplateError(locale, 'is not a locale of the pages');
    return template({ ...values, locale, nonce });
  }

  /** A label in every language, for pages that show all of them. */
  labelInEveryLocale(name: PageLabel): string {
    return LOCALES.map((locale) => this.words.get(locale)?.strings[name]).join(' · ');
  }
}

function keyOf(page: PageName, locale: Locale): string {
  return `${locale}/${page}`;
}

function compilePage(page: PageFile, words: PageWords, { layout, style }: PageFiles): CompiledTemplate {
  for (const { source } of [layout, page]) {
    checkWords(
      words.file,
      words.strings,
      [...source.matchAll(WORD)].map(([, name = '']) => name),
    );
  }
  const composed = (assets: Record<string, string>) => composePage(page, layout, words.strings, assets);
  checkPageMarkup(composed({ style: '', script: '' }), page.file);
  const complete = composed({ style, ...(page.script === null ? {} : { script: page.script }) });
  return compileTemplate(complete, page.file, words.formats, true);
}

function checkWords(file: string, strings: Record<string, string>, names: readonly string[]): void {
  const missing = names.find((name) => (strings[name] ?? '') === '');
  if (missing !== undefined) throw new TemplateError(file, `"${missing}" is missing`);
}
