import { html, nothing, type TemplateResult } from 'lit';
import type { ImportWords } from '../../words/console/import.js';
import type { ConsoleContext } from '../context.js';
import type { ImportState } from './import-state.js';

/** The columns of a file with what each means, to confirm or to correct. */
export function columnsView({
  context,
  words,
  state,
}: {
  context: ConsoleContext;
  words: ImportWords;
  state: ImportState;
}): TemplateResult {
  const { proposal } = state;
  if (proposal === null) return html``;
  const { missing, doubled } = state.columnFaults;
  const names = (fields: readonly string[]) => fields.map((field) => words.fields[field] ?? field).join(', ');
  const isReady = missing.length + doubled.length === 0;
  return html`<p class="note">
      <strong>${state.file?.name ?? ''}</strong> ·
      ${words.encoding(proposal.encoding, context.format.number(proposal.header_line))}
    </p>
    <div class="table-box">
      <table class="list columns">
        <caption class="sr-only">
          ${words.columns_caption}
        </caption>
        <thead>
          <tr>
            <th scope="col">${words.column}</th>
            <th scope="col">${words.samples}</th>
            <th scope="col">${words.field}</th>
          </tr>
        </thead>
        <tbody>
          ${proposal.columns.map(
            ({ name, samples }, at) =>
              html`<tr>
                <th scope="row" class="main" id="column-${at}">${name === '' ? `${at + 1}` : name}</th>
                <td class="samples" data-label=${words.samples}>${samples.join(' · ')}</td>
                <td data-label=${words.field}>
                  <select
                    aria-label=${context.words.labelled(words.field, name)}
                    class=${doubled.includes(state.fields[at] ?? '') ? 'faulty' : ''}
                    @change=${(event: Event) => state.setField(at, (event.target as HTMLSelectElement).value)}
                  >
                    <option value="" ?selected=${state.fields[at] === ''}>${words.ignore}</option>
                    ${proposal.fields.map(
                      (field) =>
                        html`<option value=${field} ?selected=${state.fields[at] === field}>
                          ${words.fields[field] ?? field}
                        </option>`,
                    )}
                  </select>
                </td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <div role="status">
      ${missing.length === 0 ? nothing : html`<p class="fault">${words.missing_field(names(missing))}</p>`}
      ${doubled.length === 0 ? nothing : html`<p class="fault">${words.double_field(names(doubled))}</p>`}
    </div>
    <p class="buttons wizard">
      <button type="button" class="outlined" @click=${() => state.reset()}>${words.back}</button>
      <button
        type="button"
        class="filled"
        aria-disabled=${isReady ? nothing : 'true'}
        @click=${() => {
          if (isReady) void state.compare();
        }}
      >
        ${words.compare}
      </button>
    </p>`;
}
