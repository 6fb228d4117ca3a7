import { html, nothing, type TemplateResult } from 'lit';
import { RequestError } from '../../client/rest.js';
import type { ConsoleContext } from '../context.js';
import type { BulkTarget, ListState } from './list-state.js';

export interface BulkAct {
  label: string;
  /** The question, with the number as people write it. */
  title: (n: string) => string;
  text: (n: string) => string;
  isDangerous?: boolean;
  /** Sends it. */
  act: (target: BulkTarget) => Promise<unknown>;
  /** What has happened. */
  done: (n: string) => string;
}

/** Acts that are under way: a double click acts once. */
const busy = new WeakSet<object>();

/** What can be done with the selected rows; nothing while none is. */
export function bulkBar<Row>(
  context: ConsoleContext,
  state: ListState<Row>,
  acts: readonly BulkAct[],
): TemplateResult | typeof nothing {
  if (state.selectedCount === 0) return nothing;
  const { words, format } = context;
  const canSelectAll =
    state.isAllShownSelected &&
    !state.isAllMatchingSelected &&
    state.count !== null &&
    state.count > state.rows.length;
  return html`<div
    class="bulk"
    role="region"
    aria-label=${words.list.selected(format.number(state.selectedCount))}
  >
    <strong role="status">${words.list.selected(format.number(state.selectedCount))}</strong>
    ${
      canSelectAll
        ? html`<button type="button" class="link" @click=${() => state.selectMatching()}>
            ${words.list.select_matching(format.number(state.count ?? 0))}
          </button>`
        : nothing
    }
    <span class="bulk-acts">
      ${acts.map(
        (act) =>
          html`<button
            type="button"
            class="outlined ${act.isDangerous === true ? 'danger' : ''}"
            @click=${() => void run(context, state, act)}
          >
            ${act.label}
          </button>`,
      )}
      <button type="button" @click=${() => state.clearSelection()}>${words.list.clear_selection}</button>
    </span>
  </div>`;
}

/** Asks with the number, acts once, and loads the list again. */
async function run<Row>(context: ConsoleContext, state: ListState<Row>, bulk: BulkAct): Promise<void> {
  if (busy.has(state)) return;
  busy.add(state);
  try {
    const { target } = state;
    const n = context.format.number(state.selectedCount);
    const isConfirmed = await context.confirm({
      title: bulk.title(n),
      text: bulk.text(n),
      confirm: bulk.label,
      ...(bulk.isDangerous === undefined ? {} : { isDangerous: bulk.isDangerous }),
    });
    if (!isConfirmed) return;
    await bulk.act(target);
    state.clearSelection();
    context.toast({ text: bulk.done(n), tone: 'good' });
    await state.refresh();
  } catch (error) {
    context.toast({ text: context.words.faultOf(error), tone: 'critical' });
    // `count_changed`: other rows match now than those that the person has seen.
    if (error instanceof RequestError && error.reason === 'refused') await state.refresh();
  } finally {
    busy.delete(state);
  }
}
