import { declarationOf } from '../../contracts/kind-lists.js';
import { composeOwn, insertable, split } from '../compose.js';
import type { Secrets } from '../engine.js';
import { inlineCss } from '../inline-css.js';
import type { LocaleFormats } from '../locale-formats.js';
import { faultOf, TemplateError } from '../template-error.js';
import type { KindSources, LocaleFiles, TemplateFiles, TemplatePart } from '../template-files.js';
import type { DataCheck } from './data-check.js';
import { checkHtml, sanitized } from './html-check.js';
import { interpret } from './interpreter.js';
import { fieldNames } from './kind-fields.js';
import { parseTemplate, type Program, programOf } from './program.js';
import { checkSource } from './source-check.js';
import { TemplateFault } from './template-fault.js';

/** Characters of a tenant's part. */
export const MAX_SOURCE = 20_000;
/** Characters of a part with all that it inserts, before styles. */
const MAX_COMPOSED = 120_000;
const LINK_PARTS: readonly string[] = ['text', 'html'];

/** The built-in words that a tenant's part replaces one part of. */
export interface BuiltIn {
  sources: KindSources;
  files: TemplateFiles;
}

/** One part of a kind in a tenant's own words. */
export class AdaptedPart {
  private constructor(
    private readonly program: Program,
    private readonly formats: LocaleFormats,
    private readonly escape: boolean,
    /** Characters in memory, roughly. */
    readonly size: number,
  ) {}

  /** @throws TemplateFault */
  static compile(part: TemplatePart, source: string, builtIn: BuiltIn): AdaptedPart {
    try {
      return AdaptedPart.of(part, source, builtIn);
    } catch (error) {
      if (error instanceof TemplateFault) throw error;
      if (error instanceof TemplateError) throw new TemplateFault(error.fault);
      // A stack that is too small for a deeply nested source.
      if (error instanceof RangeError) throw new TemplateFault('it is nested too deeply');
      throw new TemplateFault(faultOf(error));
    }
  }

  private static of(part: TemplatePart, source: string, { sources, files }: BuiltIn): AdaptedPart {
    if (source.length > MAX_SOURCE) throw new TemplateFault(`it is longer than ${MAX_SOURCE} characters`);
    const { strings, formats } = localeOf(sources, files);
    checkSource(source, {
      fields: fieldNames(sources.kind),
      parts: new Set(insertable(part, sources, files, strings).keys()),
    });
    if (part === 'html') checkHtml(source);
    const { rest, inlines } = split(source);
    const pieces =
      part === 'html'
        ? {
            rest: sanitized(rest),
            inlines: inlines.map(([name, piece]) => [name, sanitized(piece)] as const),
          }
        : { rest, inlines };
    const composed = composeOwn(part, pieces, sources, files, strings, MAX_COMPOSED);
    if (
      declarationOf(sources.kind)?.link === true &&
      LINK_PARTS.includes(part) &&
      !composed.includes('@link_url')
    ) {
      throw new TemplateFault('this mail carries a one-time link: insert {{> link_button}}');
    }
    const complete = part === 'html' ? inlineCss(composed, 'html') : composed;
    return new AdaptedPart(programOf(parseTemplate(complete)), formats, part === 'html', complete.length);
  }

  /** @throws TemplateFault for a rendering that takes too much. */
  render(context: object, secrets: Secrets | null): string {
    const { formats, escape } = this;
    return interpret(this.program, context, { formats, escape, secrets: { ...secrets } });
  }

  /** Reports what data it needs and does not get. A rendering that takes too much ends early. */
  checkData(context: object, data_check: DataCheck): void {
    const { formats, escape } = this;
    try {
      interpret(this.program, context, { formats, escape, secrets: {}, data_check });
    } catch (error) {
      if (!(error instanceof TemplateFault)) throw error;
    }
  }
}

function localeOf({ locale }: KindSources, { locales }: TemplateFiles): LocaleFiles {
  const found = locales.get(locale);
  if (found === undefined) throw new TemplateFault(`${locale} is not a locale of the templates`);
  return found;
}
