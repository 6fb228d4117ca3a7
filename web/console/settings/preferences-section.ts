import { html, nothing, type TemplateResult } from 'lit';
import { kindName } from '../../words/console/kinds.js';
import type { FormView } from './office-sections.js';
import type { EffectivePreference } from './settings-state.js';

const CHANNELS = ['email', 'sms', 'push'] as const;

/** What people receive who have not chosen: each kind on each channel that suits it. */
export function preferencesSection({ context, words, state }: FormView): TemplateResult {
  const choosable = state.preferences.filter(({ locked }) => !locked);
  const kinds = [...new Set(choosable.map(({ kind }) => kind))];
  const cell = (kind: string, channel: (typeof CHANNELS)[number]) => {
    const preference = choosable.find((one) => one.kind === kind && one.channel === channel);
    if (preference === undefined) return nothing;
    const label = words.choice_label(kindName(context.locale, kind), words.channels[channel]);
    const choice = state.choiceOf(preference);
    return html`<select
      aria-label=${label}
      @change=${(event: Event) => state.choose(preference, choiceIn((event.target as HTMLSelectElement).value))}
    >
      <option value="" ?selected=${choice === null}>${defaultWord(preference)}</option>
      <option value="on" ?selected=${choice === true}>${words.on}</option>
      <option value="off" ?selected=${choice === false}>
        ${words.off}${preference.critical_enabled ? ` (${words.always_critical})` : ''}
      </option>
    </select>`;
  };
  // The kind's own default is known only where nobody has chosen.
  const defaultWord = ({ source, enabled }: EffectivePreference) =>
    source !== 'default' ? words.by_default : enabled ? words.default_on : words.default_off;
  return html`<section class="card form-section" id="preferences">
    <h2>${words.preferences}</h2>
    <p class="note">${words.preferences_hint}</p>
    <div class="table-box wide">
      <table class="list choices">
        <caption class="sr-only">
          ${words.preferences}
        </caption>
        <thead>
          <tr>
            <th scope="col">${words.kind}</th>
            ${CHANNELS.map((channel) => html`<th scope="col">${words.channels[channel]}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${kinds.map(
            (kind) =>
              html`<tr>
                <th scope="row" class="main">${kindName(context.locale, kind)}</th>
                ${CHANNELS.map((channel) => html`<td data-label=${words.channels[channel]}>${cell(kind, channel)}</td>`)}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

function choiceIn(value: string): boolean | null {
  return value === '' ? null : value === 'on';
}
