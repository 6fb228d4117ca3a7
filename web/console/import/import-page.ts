import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { skeleton } from '../../design/skeleton.js';
import { RequestError } from '../../client/rest.js';
import type { ImportWords } from '../../words/console/import.js';
import { ConsolePage, failure, pageHead } from '../page.js';
import { type Import, ImportApi, type ImportRoutes } from './import-api.js';
import { columnsView } from './import-columns.js';
import { differenceView } from './import-difference.js';
import { ImportState, type Step } from './import-state.js';

const STEPS: readonly Step[] = ['file', 'columns', 'difference', 'done'];

/** The links of a wizard. */
export interface ImportPlace {
  listUrl: string;
  /** The name of the list, on the way back to it. */
  back: string;
  itemUrl: (id: string) => string;
}

/** A page that imports a file: choose it, name its columns, look at the difference, apply it. */
export abstract class ImportPage extends ConsolePage {
  private routes: ImportRoutes | null = null;
  private state: ImportState | null = null;

  override get heading(): string {
    return this.words.title;
  }

  protected abstract get words(): ImportWords;
  protected abstract get place(): ImportPlace;

  /** The routes of what the address names. */
  protected abstract routesOf(query: URLSearchParams): ImportRoutes;

  /** A value of a field, in words. */
  protected abstract valueText(field: string, value: string): string;

  /** The name of a field that differs. */
  protected fieldText(field: string): string {
    return this.words.fields[field] ?? field;
  }

  /** What the file is about, above it; nothing where the page is about one kind. */
  protected kindField(): unknown {
    return nothing;
  }

  /** The parameters of the address that name the kind. */
  protected kindQuery(_kind: Import['kind']): Record<string, string> {
    return {};
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.state?.stop();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (!changed.has('query')) return;
    const routes = this.routesOf(this.query);
    if (this.state === null || routes.kind !== this.routes?.kind) {
      this.state?.stop();
      this.routes = routes;
      const { api, me } = this.context;
      this.state = new ImportState(new ImportApi(api, routes, me.id), () => this.stateChanged());
    }
    const id = this.query.get('import');
    if (id !== null) void this.state.open(id);
    else if (this.state.step === 'done') this.state.reset();
    else if (this.state.step === 'difference') this.state.backToColumns();
  }

  /** A difference has an address: a reload shows it again, and "back" leads to the columns. */
  private stateChanged(): void {
    const { state } = this;
    const id = state?.view?.id;
    const isStaged = state?.step === 'difference' && state.work === null;
    if (isStaged && id !== undefined && this.query.get('import') !== id) {
      this.context.navigate(this.address({ import: id }));
    }
    this.requestUpdate();
  }

  private address(parameters: Record<string, string> = {}): string {
    const kind = this.routes === null ? {} : this.kindQuery(this.routes.kind);
    return `?${new URLSearchParams({ ...kind, ...parameters }).toString()}`;
  }

  protected override render(): TemplateResult {
    const { words, state } = this;
    const { listUrl, back: text } = this.place;
    if (state === null) return html``;
    return html`${pageHead(words.title, { back: { href: listUrl, text } })}
      <ol class="steps" aria-label=${words.steps_label}>
        ${STEPS.map(
          (step, at) =>
            html`<li aria-current=${step === state.step ? 'step' : nothing}>${words.steps[at]}</li>`,
        )}
      </ol>
      ${this.faultOf(state)} ${this.step(state)}`;
  }

  private faultOf({ fault, step }: ImportState): TemplateResult | typeof nothing {
    const { words, context } = this;
    if (fault === null) return nothing;
    const detail = fault instanceof RequestError ? fault.problem?.detail : undefined;
    const isRefused =
      fault instanceof RequestError &&
      ['file_refused', 'unsupported_media_type', 'payload_too_large', 'malformed_request'].includes(
        String(fault.code),
      );
    const isGone = fault instanceof RequestError && fault.code === 'not_found';
    if (!isRefused && !isGone && step === 'difference')
      return failure(context, fault, () => void this.state?.showTab(this.state.tab));
    return html`<div class="failure" role="alert">
      <p>${isRefused ? words.refused : isGone ? words.gone : context.words.faultOf(fault)}</p>
      ${isRefused && detail !== undefined ? html`<p lang="en">${detail}</p>` : nothing}
    </div>`;
  }

  private step(state: ImportState): TemplateResult {
    if (state.work === 'loading') return skeleton(this.context.words.loading, 4);
    if (state.work === 'sending') return this.sending(state);
    switch (state.step) {
      case 'file':
        return this.fileStep(state);
      case 'columns':
        return columnsView({ context: this.context, words: this.words, state });
      case 'difference':
        return this.differenceStep(state);
      case 'done':
        return this.doneStep(state);
    }
  }

  private fileStep(state: ImportState): TemplateResult {
    const { words } = this;
    const submit = (event: SubmitEvent) => {
      event.preventDefault();
      const file = this.querySelector<HTMLInputElement>('input[type=file]')?.files?.[0];
      if (file !== undefined) void state.choose(file);
    };
    return html`<form class="card import-file" @submit=${submit}>
      ${this.kindField()}
      <label
        ><span>${words.file}</span>
        <input
          type="file"
          name="file"
          required
          accept=".csv,.tsv,.txt,.ndjson,.jsonl,text/csv,application/x-ndjson"
          aria-describedby="file-hint"
        />
        <small id="file-hint">${words.file_hint}</small>
      </label>
      <p class="buttons">
        <button class="filled" aria-disabled=${state.work === null ? nothing : 'true'}>
          ${state.work === 'reading' ? words.reading : words.read}
        </button>
      </p>
    </form>`;
  }

  private sending({ view, file }: ImportState): TemplateResult {
    const { words, context } = this;
    const total = view?.bytes_total ?? file?.size ?? 0;
    const isReceiving = view === null || view.state === 'receiving';
    return html`<div class="card import-progress" role="status">
      <p>${isReceiving ? words.reading : words.comparing}</p>
      ${
        view === null || !isReceiving || total === 0
          ? html`<progress aria-label=${words.reading}></progress>`
          : html`<progress aria-label=${words.reading} max=${total} .value=${view.bytes}></progress>`
      }
      <p class="note">
        ${view === null ? nothing : words.progress(context.format.bytes(view.bytes), context.format.number(view.lines))}
      </p>
    </div>`;
  }

  private differenceStep(state: ImportState): TemplateResult {
    const { words, context } = this;
    const count = state.changeCount;
    return html`${
        state.isChanged ? html`<p class="fault" role="alert">${words.changed_meanwhile}</p>` : nothing
      }
      ${differenceView({
        context,
        words,
        state,
        itemUrl: this.place.itemUrl,
        fieldText: (field) => this.fieldText(field),
        valueText: (field, value) => this.valueText(field, value),
      })}
      <p class="buttons wizard">
        <button type="button" class="outlined" @click=${() => void this.discard(state)}>
          ${words.discard}
        </button>
        ${
          count === 0
            ? html`<span class="note">${words.nothing}</span>`
            : html`<button
                type="button"
                class="filled"
                aria-disabled=${state.work === null ? nothing : 'true'}
                @click=${() => void state.apply()}
              >
                ${state.work === 'applying' ? words.applying : words.apply(context.format.number(count))}
              </button>`
        }
      </p>
      ${state.work === 'applying' ? html`<progress aria-label=${words.applying}></progress>` : nothing}`;
  }

  private async discard(state: ImportState): Promise<void> {
    await state.discard();
    this.context.navigate(this.address(), { replace: true });
  }

  private doneStep({ view }: ImportState): TemplateResult {
    const { words, context } = this;
    const number = (value: number | undefined) => context.format.number(value ?? 0);
    return html`<div class="card import-done" role="status">
        <h2>${words.done_title}</h2>
        <p>${words.done(number(view?.created), number(view?.updated), number(view?.unchanged))}</p>
        ${(view?.rejected ?? 0) > 0 ? html`<p>${words.done_rejected(number(view?.rejected))}</p>` : nothing}
      </div>
      <p class="buttons wizard">
        <a class="button outlined" href=${this.address()}>${words.other_file}</a>
        <a class="button filled" href=${this.place.listUrl}>${words.to_list}</a>
      </p>`;
  }
}
