import { html, nothing, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { skeleton } from '../../design/skeleton.js';
import type { ConsoleContext } from '../context.js';
import { failure } from '../page.js';
import type { ListState } from './list-state.js';
import type { RowWindow } from './row-window.js';

export interface Column<Row> {
  label: string;
  cell: (row: Row) => unknown;
  /** The cell as text, for CSV. */
  text: (row: Row) => string;
  /** The value of `sort` in the address; `-name` is descending. Without it the column cannot be sorted. */
  sort?: string;
  /** `number`: aligned to the right. `main`: the row's name, a header of the row. `wide`: takes the space that is left. */
  kind?: 'number' | 'main' | 'wide';
  /** A CSS class for its cells. */
  className?: string;
}

export interface TableView<Row> {
  context: ConsoleContext;
  state: ListState<Row>;
  columns: readonly Column<Row>[];
  idOf: (row: Row) => string;
  /** What the table lists, for screen readers. */
  caption: string;
  /** The name of a row, for its checkbox; without it no row can be selected. */
  nameOf?: (row: Row) => string;
  /** Buttons at the end of a row, and their column's name. */
  actions?: { label: string; of: (row: Row) => unknown };
  /** Of a list without pages: renders the rows near the screen only. */
  window?: RowWindow;
  /** A class of the table, for the widths of its columns. */
  className?: string;
  /** Neighbours with the same key share a heading. */
  groupOf?: (row: Row) => { key: string; label: unknown } | null;
  /** Says what was checked, and what to do next. */
  empty: unknown;
  emptyFiltered: unknown;
}

/** The rows of a list: a skeleton, a failure, the text for an empty list, or the table. */
export function listTable<Row>(view: TableView<Row>): TemplateResult {
  const { context, state } = view;
  if (state.phase === 'loading' && state.rows.length === 0) return skeleton(context.words.loading);
  if (state.phase === 'failed') return failure(context, state.fault, () => void state.refresh());
  const isBusy = state.phase === 'loading' ? 'true' : 'false';
  return html`${state.fault === null ? nothing : failure(context, state.fault, () => void state.refresh())}
  ${
    state.rows.length === 0
      ? html`<div class="empty">${state.isFiltered ? view.emptyFiltered : view.empty}</div>`
      : html`<div class="table-box" aria-busy=${isBusy}>${table(view)}</div>`
  }
  ${foot(view)}`;
}

function table<Row>(view: TableView<Row>): TemplateResult {
  const { context, state, columns, idOf, nameOf, actions } = view;
  const { list } = context.words;
  const width = columns.length + (nameOf === undefined ? 0 : 1) + (actions === undefined ? 0 : 1);
  return html`<table
    class="list ${view.className ?? ''}"
    aria-rowcount=${view.window === undefined ? nothing : state.rows.length + 1}
  >
    <caption class="sr-only">
      ${view.caption}
    </caption>
    <thead>
      <tr>
        ${
          nameOf === undefined
            ? nothing
            : html`<td class="check" data-label=${list.select_all}>
                <input
                  type="checkbox"
                  aria-label=${list.select_all}
                  .checked=${state.isAllShownSelected}
                  .indeterminate=${state.selectedCount > 0 && !state.isAllShownSelected}
                  @change=${(event: Event) => state.selectShown((event.target as HTMLInputElement).checked)}
                />
              </td>`
        }
        ${columns.map((column) => heading(state, column))}
        ${actions === undefined ? nothing : html`<th scope="col"><span class="sr-only">${actions.label}</span></th>`}
      </tr>
    </thead>
    ${
      view.window === undefined
        ? html`<tbody>
            ${repeat(
              state.rows,
              idOf,
              (row, place) => html`${groupRow(view, row, place)}${tableRow(view, row)}`,
            )}
          </tbody>`
        : view.window.bodies(state.rows, width, (row, place) => tableRow(view, row, place))
    }
  </table>`;
}

/** @param place in a table that renders only some of its rows */
function tableRow<Row>(view: TableView<Row>, row: Row, place?: number): TemplateResult {
  const { context, state, columns, nameOf, actions } = view;
  const { list } = context.words;
  // The head is the first row.
  return html`<tr
    class=${state.isSelected(row) ? 'selected' : ''}
    aria-rowindex=${place === undefined ? nothing : place + 2}
  >
    ${
      nameOf === undefined
        ? nothing
        : html`<td class="check">
            <input
              type="checkbox"
              aria-label=${list.select_row(nameOf(row))}
              .checked=${state.isSelected(row)}
              @change=${(event: Event) => state.select(row, (event.target as HTMLInputElement).checked)}
            />
          </td>`
    }
    ${columns.map((column) =>
      column.kind === 'main'
        ? html`<th scope="row" class="main" data-label=${column.label}>${column.cell(row)}</th>`
        : html`<td class="${column.kind ?? ''} ${column.className ?? ''}" data-label=${column.label}>
            ${column.cell(row)}
          </td>`,
    )}
    ${actions === undefined ? nothing : html`<td class="row-actions">${actions.of(row)}</td>`}
  </tr>`;
}

/** The name of a group, above its first row. */
function groupRow<Row>(
  { state, columns, nameOf, actions, groupOf }: TableView<Row>,
  row: Row,
  place: number,
): TemplateResult | typeof nothing {
  const group = groupOf?.(row) ?? null;
  const before = state.rows[place - 1];
  if (group === null || (before !== undefined && groupOf?.(before)?.key === group.key)) return nothing;
  const width = columns.length + (nameOf === undefined ? 0 : 1) + (actions === undefined ? 0 : 1);
  return html`<tr class="row-group">
    <th scope="rowgroup" colspan=${width}>${group.label}</th>
  </tr>`;
}

function heading<Row>(state: ListState<Row>, { label, sort, kind }: Column<Row>): TemplateResult {
  if (sort === undefined) return html`<th scope="col" class=${kind ?? ''}>${label}</th>`;
  const current = state.filters.sort;
  const order = current === sort ? 'ascending' : current === `-${sort}` ? 'descending' : 'none';
  const next = order === 'ascending' ? `-${sort}` : sort;
  return html`<th scope="col" class=${kind ?? ''} aria-sort=${order === 'none' ? nothing : order}>
    <a class="sort ${order}" href=${state.url({ sort: next })}>${label}</a>
  </th>`;
}

function foot<Row>({ context, state }: TableView<Row>): TemplateResult {
  const { words, format } = context;
  const shown = format.number(state.rows.length);
  const load = async () => {
    const url = await state.more();
    if (url !== null) context.navigate(url, { replace: true });
  };
  const checked =
    state.loadedAt === null ? '' : words.list.checked(format.time(format.instant(state.loadedAt)));
  const dot = state.rows.length === 0 || checked === '' ? '' : ' · ';
  return html`<p class="list-foot">
    <span
      >${
        state.rows.length === 0
          ? nothing
          : state.count === null
            ? words.list.shown(shown)
            : words.list.shown_of(shown, format.number(state.count))
      }
      ${dot}${checked}</span
    >
    ${
      state.hasMore
        ? html`<button
            type="button"
            class="outlined"
            aria-disabled=${state.isLoadingMore ? 'true' : nothing}
            @click=${() => void load()}
          >
            ${words.list.more}
          </button>`
        : nothing
    }
  </p>`;
}
