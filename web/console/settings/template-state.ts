import type { ApiClient } from '../../client/api-client.js';
import type { components } from '../../client/api.js';
import { RequestError } from '../../client/rest.js';

export type TemplateView = components['schemas']['TenantTemplateView'];
export type Preview = components['schemas']['TemplatePreview'];
export type LastFact = components['schemas']['LastFact'];
export const PARTS = ['title', 'body', 'text', 'html'] as const;
export type Part = (typeof PARTS)[number];

/** Somebody who types gets one preview, not one a key. */
const TYPING_MS = 400;
const EMPTY_PART = {
  adapted: false,
  source: null,
  built_in: '',
  written_by: null,
  updated_at: null,
  broken: null,
};

/** A fault of a part, with its place if the server says it. */
export interface TemplateFault {
  line: string | null;
  column: string | null;
  detail: string;
}

/** The words of one kind in one language: what is stored, what a person writes, and how that looks. */
export class TemplateState {
  phase: 'loading' | 'ready' | 'failed' = 'loading';
  fault: unknown = null;
  view: TemplateView | null = null;
  preview: Preview | null = null;
  /** Whether the preview is of an older text, because the present one has a fault. */
  isStale = false;
  lastFact: LastFact = { at: null, data: null };
  usesLastFact = true;
  isSaving = false;
  readonly faults = new Map<Part, TemplateFault>();
  /** Changed parts; null: the built-in words. */
  private readonly edits = new Map<Part, string | null>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private previewing: AbortController | null = null;
  onChange: () => void = () => undefined;

  constructor(
    private readonly api: ApiClient,
    readonly kind: string,
    readonly locale: TemplateView['locale'],
  ) {}

  get isMessage(): boolean {
    return this.kind.startsWith('message.');
  }

  private get path() {
    return { path: { kind: this.kind, locale: this.locale } };
  }

  async load(): Promise<void> {
    try {
      const params = this.path;
      const [view, lastFact] = await Promise.all([
        this.read(),
        this.api.get('/api/v1/tenant/templates/{kind}/{locale}/last-fact', { params }),
      ]);
      Object.assign(this, { view, lastFact, usesLastFact: lastFact.data !== null, phase: 'ready' });
      void this.show();
    } catch (error) {
      this.fault = error;
      this.phase = 'failed';
    }
    this.onChange();
  }

  /** A message template that does not exist yet is empty. */
  private async read(): Promise<TemplateView> {
    try {
      return await this.api.get('/api/v1/tenant/templates/{kind}/{locale}', { params: this.path });
    } catch (error) {
      if (!this.isMessage || !(error instanceof RequestError) || error.code !== 'not_found') throw error;
      const parts = { title: EMPTY_PART, body: EMPTY_PART, text: EMPTY_PART, html: EMPTY_PART };
      return { kind: this.kind, locale: this.locale, parts, fields: [] };
    }
  }

  /** The text in the editor. */
  textOf(part: Part): string {
    const stored = this.view?.parts[part];
    const edit = this.edits.get(part);
    return edit ?? (edit === null ? null : stored?.source) ?? stored?.built_in ?? '';
  }

  /** Whether the part has own words, as edited. */
  isAdapted(part: Part): boolean {
    const edit = this.edits.get(part);
    return edit === undefined ? this.view?.parts[part].adapted === true : edit !== null;
  }

  get isStored(): boolean {
    return PARTS.some((part) => this.view?.parts[part].adapted === true);
  }

  get changes(): number {
    return this.edits.size;
  }

  get isDirty(): boolean {
    return this.edits.size > 0;
  }

  /** @param text null: the built-in words */
  edit(part: Part, text: string | null): void {
    const stored = this.view?.parts[part];
    if (stored === undefined) return;
    // The editor's initial text and an empty text do not count as own words.
    const isBuiltIn = text === null || text === '' || (text === stored.built_in && !stored.adapted);
    const next = isBuiltIn ? null : text;
    if (next === stored.source) this.edits.delete(part);
    else this.edits.set(part, next);
    this.schedule();
    this.onChange();
  }

  useLastFact(isUsed: boolean): void {
    this.usesLastFact = isUsed;
    void this.show();
    this.onChange();
  }

  discard(): void {
    this.edits.clear();
    void this.show();
    this.onChange();
  }

  private get draft(): Partial<Record<Part, string | null>> {
    return Object.fromEntries(this.edits);
  }

  /** @returns whether it is saved; `faults` otherwise. @throws RequestError for all but faults of the text */
  async save(): Promise<boolean> {
    if (this.isSaving || this.edits.size === 0) return false;
    this.isSaving = true;
    const sent = this.draft;
    this.onChange();
    try {
      const params = this.path;
      this.view = await this.api.put('/api/v1/tenant/templates/{kind}/{locale}', { params, body: sent });
      for (const part of PARTS) if (this.edits.get(part) === sent[part]) this.edits.delete(part);
      this.faults.clear();
      return true;
    } catch (error) {
      this.takeFaults(error);
      return false;
    } finally {
      this.isSaving = false;
      this.onChange();
    }
  }

  /** Deletes all own words. @returns false: not while they are being saved. @throws RequestError */
  async reset(): Promise<boolean> {
    if (this.isSaving) return false;
    this.isSaving = true;
    try {
      await this.api.delete('/api/v1/tenant/templates/{kind}/{locale}', { params: this.path });
      this.edits.clear();
      this.view = await this.read();
      void this.show();
      return true;
    } finally {
      this.isSaving = false;
      this.onChange();
    }
  }

  private schedule(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.show(), TYPING_MS);
  }

  /** Asks for the preview of what is in the editor; only the newest answer counts. */
  async show(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.previewing?.abort();
    if (this.isMessage && (this.textOf('title') === '' || this.textOf('body') === '')) return;
    const { signal } = (this.previewing = new AbortController());
    try {
      const data = this.usesLastFact ? this.lastFact.data : null;
      const body = { ...this.draft, ...(data === null ? {} : { data }) };
      const params = this.path;
      const preview = await this.api.post('/api/v1/tenant/templates/{kind}/{locale}/preview', {
        params,
        body,
        signal,
      });
      if (signal.aborted) return;
      this.preview = preview;
      this.isStale = false;
      this.faults.clear();
    } catch (error) {
      if (signal.aborted) return;
      this.isStale = true;
      try {
        this.takeFaults(error);
      } catch {
        // The text stays; the next key asks again.
      }
    }
    this.onChange();
  }

  private takeFaults(error: unknown): void {
    const faults = error instanceof RequestError ? (error.problem?.errors ?? []) : [];
    if (faults.length === 0) throw error;
    this.faults.clear();
    for (const { pointer, detail } of faults) {
      const part = PARTS.find((one) => pointer === `/${one}`) ?? 'title';
      const [, line, column, rest] = /^line (\d+), column (\d+): ([^]*)$/.exec(detail) ?? [];
      this.faults.set(part, { line: line ?? null, column: column ?? null, detail: rest ?? detail });
    }
  }
}
