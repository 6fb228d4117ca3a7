import { html, nothing, type TemplateResult } from 'lit';
import type { ConsoleContext } from '../context.js';
import { csvOf, download } from './csv.js';
import type { ListState } from './list-state.js';
import type { Column } from './table.js';

/** A request for each key pressed would be too many. */
const TYPING_MS = 250;

/** A filter, by its parameter in the address. */
export type Filter =
  | { kind: 'search'; name: string; label: string }
  | {
      kind: 'choice';
      name: string;
      label: string;
      choices: readonly (readonly [value: string, label: string])[];
    }
  | { kind: 'date'; name: string; label: string };

export interface FilterBarView<Row> {
  context: ConsoleContext;
  state: ListState<Row>;
  filters: readonly Filter[];
  /** Of the CSV; without it there is none. */
  csv?: { name: string; columns: readonly Column<Row>[] };
}

/** The filters of a list, which are in the address, and its CSV. */
export function filterBar<Row>({ context, state, filters, csv }: FilterBarView<Row>): TemplateResult {
  const { list } = context.words;
  const set = (name: string, value: string, waits = false) =>
    state.pending.set(name, value, waits ? TYPING_MS : 0, (changes) =>
      context.navigate(state.url(changes), { replace: waits }),
    );
  return html`<form
    class="filters"
    role="search"
    aria-label=${list.filters}
    @submit=${(event: Event) => event.preventDefault()}
  >
    ${filters.map((filter) => control(filter, state.filters[filter.name] ?? '', set))}
    ${state.isFiltered ? html`<a class="clear" href=${state.clearUrl}>${list.clear}</a>` : nothing}
    ${
      csv === undefined || state.rows.length === 0
        ? nothing
        : html`<button
            type="button"
            class="outlined csv"
            title=${list.csv}
            aria-label=${list.csv}
            @click=${() => download(csv.name, 'text/csv;charset=utf-8', csvOf(csv.columns, state.rows, context.locale))}
          >
            ${list.csv_short}
          </button>`
    }
  </form>`;
}

function control(
  filter: Filter,
  value: string,
  set: (name: string, value: string, waits?: boolean) => void,
): TemplateResult {
  const { name, label } = filter;
  const valueOf = (event: Event) => (event.target as HTMLInputElement | HTMLSelectElement).value;
  switch (filter.kind) {
    case 'search':
      return html`<label class="search-filter"
        ><span class="sr-only">${label}</span
        ><input
          type="search"
          name=${name}
          maxlength="200"
          placeholder=${label}
          .value=${value}
          @input=${(event: Event) => set(name, valueOf(event), true)}
      /></label>`;
    case 'choice':
      return html`<label
        ><span>${label}</span
        ><select name=${name} @change=${(event: Event) => set(name, valueOf(event))}>
          ${filter.choices.map(
            ([choice, text]) => html`<option value=${choice} ?selected=${choice === value}>${text}</option>`,
          )}
        </select></label
      >`;
    case 'date':
      return html`<label
        ><span>${label}</span
        ><input
          type="date"
          name=${name}
          .value=${value}
          @change=${(event: Event) => set(name, valueOf(event))}
      /></label>`;
  }
}
