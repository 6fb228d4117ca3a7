import { html, nothing, type TemplateResult } from 'lit';
import type { Formats } from '../../design/formats.js';
import type { DueItemWords } from '../../words/console/due-items.js';
import { type Kind, KINDS } from './due-item-api.js';

const VIEWS = ['due_on', 'client_name', 'responsible', 'month'] as const;

export interface TabsView {
  words: DueItemWords;
  format: Formats;
  kind: Kind;
  counts: Readonly<Partial<Record<Kind, number>>>;
  query: URLSearchParams;
  /** The order of the list. */
  sort: string;
}

/** The address with other parameters; those that are the default are left out. @param changes null removes one */
export function urlWith(current: URLSearchParams, changes: Readonly<Record<string, string | null>>): string {
  const query = new URLSearchParams(current);
  query.delete('shown');
  for (const [name, value] of Object.entries(changes)) {
    const isDefault = (name === 'kind' && value === 'deadlines') || (name === 'sort' && value === 'due_on');
    if (value === null || isDefault) query.delete(name);
    else query.set(name, value);
  }
  return `?${query.toString()}`;
}

/** The kinds, with the number of items that match the filters. */
export function kindTabs({ words, format, kind: current, counts, query }: TabsView): TemplateResult {
  return html`<div class="kind-tabs" role="group" aria-label=${words.kinds_label}>
    ${KINDS.map((kind) => {
      const count = counts[kind];
      return html`<a href=${urlWith(query, { kind })} aria-current=${kind === current ? 'page' : nothing}
        >${words.kinds[kind]}
        ${count === undefined ? nothing : html`<span class="count">${format.number(count)}</span>`}</a
      >`;
    })}
  </div>`;
}

/** By date, by client, by person, or a month. */
export function viewTabs({ words, query, sort }: TabsView): TemplateResult {
  const current = query.get('view') === 'month' ? 'month' : sort.replace(/^-/, '');
  return html`<div class="kind-tabs views" role="group" aria-label=${words.view}>
    ${VIEWS.map((view) => {
      const changes = view === 'month' ? { view, sort: null } : { view: null, month: null, sort: view };
      return html`<a href=${urlWith(query, changes)} aria-current=${view === current ? 'true' : nothing}
        >${words.views[view]}</a
      >`;
    })}
  </div>`;
}

/** The chosen client, which comes from a link and has no filter control. */
export function clientChip({ words, query }: TabsView): TemplateResult | typeof nothing {
  const name = query.get('client_name') ?? '';
  if (name === '') return nothing;
  return html`<p class="chips">
    <a class="button outlined" href=${urlWith(query, { client_name: null })}
      >${words.only_client(name)}<span aria-hidden="true">×</span></a
    >
  </p>`;
}
