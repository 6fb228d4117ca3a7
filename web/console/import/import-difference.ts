import { html, nothing, type TemplateResult } from 'lit';
import { shape } from '../../design/badge.js';
import type { ImportWords } from '../../words/console/import.js';
import type { ConsoleContext } from '../context.js';
import type { Change, Fault } from './import-api.js';
import type { ImportState, Tab } from './import-state.js';

const TABS: readonly Tab[] = ['rejected', 'created', 'updated', 'missing'];

export interface DifferenceView {
  context: ConsoleContext;
  words: ImportWords;
  state: ImportState;
  itemUrl: (id: string) => string;
  fieldText: (field: string) => string;
  /** A value of a field, in words. */
  valueText: (field: string, value: string) => string;
}

/** What a file would do: the counts, and the lines of the one that is chosen. */
export function differenceView(view: DifferenceView): TemplateResult {
  const { words, state, context } = view;
  const { view: found, tab } = state;
  if (found === null) return html``;
  const counts: Record<Tab, number> = {
    created: found.created,
    updated: found.updated,
    missing: found.missing ?? 0,
    rejected: found.rejected,
  };
  return html`<p class="note">${words.counts.unchanged(context.format.number(found.unchanged))}</p>
    <div class="kind-tabs" role="group" aria-label=${words.outcomes_label}>
      ${TABS.map(
        (one) =>
          html`<button
            type="button"
            aria-pressed=${one === tab ? 'true' : 'false'}
            @click=${() => void state.showTab(one)}
          >
            ${one === 'rejected' && counts.rejected > 0 ? shape('critical') : nothing} ${words.outcomes[one]}
            <span class="count">${context.format.number(counts[one])}</span>
          </button>`,
      )}
    </div>
    ${
      counts[tab] === 0
        ? html`<div class="empty"><p>${words.none[tab]}</p></div>`
        : html`${tab === 'missing' ? html`<p class="note">${words.missing_note}</p>` : nothing}
            ${tab === 'rejected' ? html`<p class="note">${words.rejected_note}</p>` : nothing}
            <div class="table-box">${tab === 'rejected' ? faultTable(view) : changeTable(view, tab)}</div>
            ${more(view)}`
    }`;
}

function more({ words, state }: DifferenceView): TemplateResult | typeof nothing {
  if (state.shown.cursor === null) return nothing;
  return html`<p class="list-foot">
    <button
      type="button"
      class="outlined"
      aria-disabled=${state.shown.isLoading ? 'true' : nothing}
      @click=${() => void state.more()}
    >
      ${words.more}
    </button>
  </p>`;
}

function faultTable({ words, state, context }: DifferenceView): TemplateResult {
  const text = ({ field, detail }: Fault) =>
    words.faultLine(
      field === null ? words.line_word : (words.fields[field] ?? field),
      words.faultText(field, detail),
    );
  return html`<table class="list">
    <caption class="sr-only">
      ${words.outcomes.rejected}
    </caption>
    <thead>
      <tr>
        <th scope="col" class="number">${words.line}</th>
        <th scope="col">${words.fault}</th>
      </tr>
    </thead>
    <tbody>
      ${state.shown.faults.map(
        (fault) =>
          html`<tr>
            <th scope="row" class="number" data-label=${words.line}>${context.format.number(fault.line)}</th>
            <td class="wide" data-label=${words.fault}>${text(fault)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function changeTable(view: DifferenceView, tab: Exclude<Tab, 'rejected'>): TemplateResult {
  const { words, state, context, itemUrl } = view;
  return html`<table class="list">
    <caption class="sr-only">
      ${words.outcomes[tab]}
    </caption>
    <thead>
      <tr>
        ${tab === 'missing' ? nothing : html`<th scope="col" class="number">${words.line}</th>`}
        <th scope="col">${words.item}</th>
        <th scope="col">${tab === 'updated' ? `${words.before} → ${words.after}` : words.content}</th>
      </tr>
    </thead>
    <tbody>
      ${state.shown.changes.map(
        (change) =>
          html`<tr>
            ${
              change.line === null
                ? nothing
                : html`<td class="number" data-label=${words.line}>${context.format.number(change.line)}</td>`
            }
            <th scope="row" class="main">
              ${
                change.item_id === null
                  ? change.title
                  : html`<a href=${itemUrl(change.item_id)}>${change.title}</a>`
              }
            </th>
            <td class="wide" data-label=${tab === 'updated' ? words.after : words.content}>
              ${fieldsOf(view, change)}
            </td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

/** The fields that differ; of a new item, all that it has. */
function fieldsOf(
  { fieldText, valueText }: DifferenceView,
  { outcome, before, after }: Change,
): TemplateResult {
  const shown = (field: string, value: string | null | undefined) =>
    value == null || value === '' ? '—' : valueText(field, value);
  const names = Object.keys(outcome === 'missing' ? before : after).filter(
    (field) => outcome === 'updated' || field !== 'title',
  );
  return html`<ul class="differences">
    ${names.map(
      (field) =>
        html`<li>
          <span class="note">${fieldText(field)}</span>
          ${
            outcome === 'updated'
              ? html`<del>${shown(field, before[field])}</del> → <ins>${shown(field, after[field])}</ins>`
              : shown(field, (outcome === 'missing' ? before : after)[field])
          }
        </li>`,
    )}
  </ul>`;
}
