import { html, nothing, type TemplateResult } from 'lit';
import { live } from 'lit/directives/live.js';
import { ago } from '../../design/time.js';
import type { TemplateWords } from '../../words/console/settings-templates.js';
import type { ConsoleContext } from '../context.js';
import type { Part, TemplateState, TemplateView } from './template-state.js';

const ROWS: Readonly<Record<Part, number>> = { title: 2, body: 4, text: 8, html: 12 };
/** Of a part, as the server has it. */
const MAX_SOURCE = 20_000;
type FieldType = TemplateView['fields'][number]['type'];

export interface PartView {
  context: ConsoleContext;
  words: TemplateWords;
  state: TemplateState;
  part: Part;
  onFocus: () => void;
}

/** The editor of one part, with the origin of its words and their faults. */
export function partEditor({ context, words, state, part, onFocus }: PartView): TemplateResult {
  const id = `part-${part}`;
  const fault = state.faults.get(part);
  const stored = state.view?.parts[part];
  const isAdapted = state.isAdapted(part);
  return html`<div class="field part">
    <div class="part-head">
      <label for=${id}>${words.parts[part]}</label>
      <span class="note"
        >${isAdapted ? words.adapted : words.not_adapted}${
          stored?.updated_at != null ? html`, ${ago(context.format, stored.updated_at)}` : nothing
        }</span
      >
      ${
        isAdapted && !(state.isMessage && stored?.built_in === '')
          ? html`<button type="button" class="link" @click=${() => state.edit(part, null)}>
              ${words.use_built_in}
            </button>`
          : nothing
      }
    </div>
    <textarea
      id=${id}
      class="mono"
      dir="auto"
      rows=${ROWS[part]}
      maxlength=${MAX_SOURCE}
      spellcheck="false"
      aria-invalid=${fault === undefined ? nothing : 'true'}
      aria-describedby="${id}-note"
      .value=${live(state.textOf(part))}
      @focus=${onFocus}
      @input=${(event: Event) => state.edit(part, (event.target as HTMLTextAreaElement).value)}
    ></textarea>
    <small
      id="${id}-note"
      class=${fault === undefined ? '' : 'critical'}
      role=${fault === undefined ? nothing : 'alert'}
      >${
        fault === undefined
          ? words.part_hints[part]
          : html`${fault.line === null || fault.column === null ? nothing : words.fault_at(fault.line, fault.column)}<span
                lang="en"
                >${fault.detail}</span
              >`
      }</small
    >
    ${
      stored?.broken == null
        ? nothing
        : html`<small class="critical"
            >${words.broken_since(context.format.full(stored.broken.since))}
            <span lang="en">${stored.broken.reason}</span></small
          >`
    }
  </div>`;
}

/** What the templates of this kind can print; each inserts itself. */
export function fieldList(
  context: ConsoleContext,
  words: TemplateWords,
  state: TemplateState,
  insert: (name: string, type: FieldType) => void,
): TemplateResult | typeof nothing {
  const fields = state.view?.fields ?? [];
  if (fields.length === 0) return nothing;
  return html`<details class="fields">
    <summary>${words.fields}</summary>
    <p class="note">${words.fields_hint}</p>
    <ul>
      ${fields.map(
        ({ name, type, example }) =>
          html`<li>
            <button type="button" class="mono" @click=${() => insert(name, type)}>${name}</button>
            <span class="note"
              >${words.field_types[type]}${example === null ? nothing : html` · <span dir="auto">${shown(context, example)}</span>`}</span
            >
          </li>`,
      )}
    </ul>
  </details>`;
}

function shown({ format }: ConsoleContext, example: string | number | boolean): string {
  return typeof example === 'number' ? format.number(example) : String(example);
}

const HELPERS: Partial<Record<FieldType, (name: string) => string>> = {
  date: (name) => `{{date ${name} "day"}}`,
  instant: (name) => `{{instant ${name} "short"}}`,
  list: (name) => `{{#each ${name}}}{{/each}}`,
};

/** Writes a field where the cursor was, as if it was typed. */
export function insertAtCursor(root: HTMLElement, part: Part, name: string, type: FieldType): void {
  const area = root.querySelector<HTMLTextAreaElement>(`#part-${part}`);
  if (area === null) return;
  area.focus();
  // Within `each`, a field of an entry has its own name.
  const path = name.split('[].').at(-1) ?? name;
  area.setRangeText(HELPERS[type]?.(path) ?? `{{${path}}}`, area.selectionStart, area.selectionEnd, 'end');
  area.dispatchEvent(new Event('input', { bubbles: true }));
}
