import { LRUCache } from 'lru-cache';
import { type Locale, LOCALES } from '../../contracts/locales.js';
import type { Secrets } from '../engine.js';
import type { TemplatePart } from '../template-files.js';
import { AdaptedPart, type BuiltIn } from './adapted-part.js';
import type { DataCheck } from './data-check.js';
import { TemplateFault } from './template-fault.js';

/** A part of a kind's words, or of a message template, in a locale, as a tenant wrote it. */
export interface StoredPart {
  /** A kind, or `message.<name>`. */
  kind: string;
  locale: string;
  part: TemplatePart;
  source: string;
  updated_at: Date;
}

/** A part that could not be compiled or rendered. */
export interface BrokenPart extends StoredPart {
  reason: string;
}

/** Characters of compiled templates that a process keeps. */
const MAX_CHARACTERS = 20_000_000;
/** Of every entry, besides its characters. */
const ENTRY_COST = 500;

/** Compiled parts of all tenants, by version, kind, locale and part. */
export class CompiledParts {
  private readonly parts = new LRUCache<string, AdaptedPart | TemplateFault>({
    maxSize: MAX_CHARACTERS,
    sizeCalculation: (part) => (part instanceof TemplateFault ? ENTRY_COST : ENTRY_COST + part.size),
  });

  get(
    version: string,
    { kind, locale, part, source }: StoredPart,
    builtIn: () => BuiltIn,
  ): AdaptedPart | TemplateFault {
    const key = `${version} ${kind} ${locale} ${part}`;
    const known = this.parts.get(key);
    if (known !== undefined) return known;
    const made = compiled(part, source, builtIn());
    this.parts.set(key, made);
    return made;
  }
}

function compiled(part: TemplatePart, source: string, builtIn: BuiltIn): AdaptedPart | TemplateFault {
  try {
    return AdaptedPart.compile(part, source, builtIn);
  } catch (error) {
    if (error instanceof TemplateFault) return error;
    throw error;
  }
}

/**
 * One version of a tenant's own words. Rendering never throws: a part that fails is reported, and the built-in one is
 * used for that message.
 */
export class TenantTemplates {
  private readonly parts: ReadonlyMap<string, StoredPart>;
  private readonly reported = new Set<StoredPart>();
  /** Characters of all sources. */
  readonly size: number;

  constructor(
    readonly version: string,
    stored: readonly StoredPart[],
    private readonly compiledParts: CompiledParts,
    private readonly onBroken: (broken: BrokenPart) => void,
    /** The tenant's language. */
    private readonly locale: Locale | null = null,
  ) {
    this.size = stored.reduce((size, { source }) => size + source.length, 0);
    this.parts = new Map(stored.map((part) => [keyOf(part.kind, part.locale, part.part), part]));
  }

  /** @returns null if the tenant has not adapted this part, or if it fails. */
  render(
    kind: string,
    locale: Locale,
    part: TemplatePart,
    context: object,
    secrets: Secrets | null,
    builtIn: () => BuiltIn,
  ): string | null {
    const stored = this.parts.get(keyOf(kind, locale, part));
    if (stored === undefined) return null;
    try {
      const ready = this.compiledParts.get(this.version, stored, builtIn);
      if (ready instanceof TemplateFault) return this.broken(stored, ready.message);
      return ready.render(context, secrets);
    } catch (error) {
      return this.broken(stored, error instanceof Error ? error.message : String(error));
    }
  }

  /** The languages of a message template: the reader's first, then the tenant's. */
  localesOf(kind: string, reader: Locale): readonly Locale[] {
    const preferred = [reader, ...(this.locale === null ? [] : [this.locale]), ...LOCALES];
    return [...new Set(preferred)].filter((locale) => this.parts.has(keyOf(kind, locale, 'title')));
  }

  /** Reports what data a part needs and does not get. A broken part reports nothing. */
  checkData(
    { kind, locale, part }: Pick<StoredPart, 'kind' | 'part'> & { locale: Locale },
    context: object,
    check: DataCheck,
    builtIn: () => BuiltIn,
  ): void {
    const stored = this.parts.get(keyOf(kind, locale, part));
    if (stored === undefined) return;
    const ready = this.compiledParts.get(this.version, stored, builtIn);
    if (!(ready instanceof TemplateFault)) ready.checkData(context, check);
  }

  private broken(stored: StoredPart, reason: string): null {
    if (!this.reported.has(stored)) {
      this.reported.add(stored);
      this.onBroken({ ...stored, reason });
    }
    return null;
  }
}

function keyOf(kind: string, locale: string, part: TemplatePart): string {
  return `${locale}/${kind}.${part}`;
}
