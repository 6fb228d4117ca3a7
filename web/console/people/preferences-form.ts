import { html, nothing, type TemplateResult } from 'lit';
import * as deliveryWords from '../../words/console/deliveries.js';
import { kindName } from '../../words/console/kinds.js';
import type { PeopleWords } from '../../words/console/people.js';
import { type ConsoleContext, wordsIn } from '../context.js';
import { boxesField, choiceField, type Field, textField } from '../settings/fields.js';
import { endInField, endOfField } from '../settings/end-time.js';
import { dayNames } from '../settings/office-sections.js';
import {
  type EffectivePreference,
  type Hours,
  pairOf,
  type Preferences,
  type PreferencesDraft,
} from './preferences-draft.js';

const CHANNELS = ['email', 'sms', 'push'] as const;
const MAX_HOURS = 14;
const WORKING_HOURS: Hours = { days: [1, 2, 3, 4, 5], from: '08:00', to: '19:00' };

export interface PreferencesView {
  context: ConsoleContext;
  words: PeopleWords;
  isSelf: boolean;
  stored: Preferences;
  draft: PreferencesDraft;
  faults: ReadonlySet<string>;
  set: (changes: Partial<PreferencesDraft>) => void;
}

function fieldOf({ words, faults }: PreferencesView, name: string, label: string, fault = name): Field {
  return { name, label, rule: words.faults[fault] ?? '', isInvalid: faults.has(fault) };
}

/** When a person receives what is not urgent, and when they are away. */
export function hoursSection(view: PreferencesView): TemplateResult {
  const { words, draft, set, context } = view;
  return html`<section class="card form-section">
    <h2>${words.hours}</h2>
    <p class="note">${words.hours_hint}</p>
    ${textField(
      { ...fieldOf(view, 'paused_until', words.away_until), hint: words.away_hint },
      draft.paused_until,
      (paused_until) => set({ paused_until }),
      { type: 'date', min: context.format.civilDate() },
    )}
    <fieldset class="boxes">
      <legend>${words.quiet}</legend>
      ${time(view, 'quiet_hours', words.quiet_from, draft.quiet_from, (quiet_from) => set({ quiet_from }))}
      ${time(view, 'quiet_hours', words.quiet_to, draft.quiet_to, (quiet_to) => set({ quiet_to }))}
      ${faultText(view, 'quiet_hours')}
    </fieldset>
    <fieldset class="boxes receiving">
      <legend>${words.receiving}</legend>
      ${draft.receiving.map((hours, at) => receivingRow(view, hours, at))}
      ${
        draft.receiving.length >= MAX_HOURS
          ? nothing
          : html`<button
              type="button"
              class="outlined"
              @click=${() => set({ receiving: [...draft.receiving, WORKING_HOURS] })}
            >
              ${words.add_hours}
            </button>`
      }
      ${faultText(view, 'receiving_hours')}
    </fieldset>
    ${choiceField(
      { name: 'bundling', label: words.bundling },
      draft.bundling,
      [
        ['', words.bundlings[''] ?? ''],
        ['together', words.bundlings.together ?? ''],
        ['single', words.bundlings.single ?? ''],
      ],
      (bundling) => set({ bundling }),
    )}
  </section>`;
}

function time(
  { faults }: PreferencesView,
  fault: string,
  label: string,
  value: string,
  onInput: (value: string) => void,
): TemplateResult {
  return html`<label class="box"
    >${label}
    <input
      type="time"
      .value=${value}
      aria-invalid=${faults.has(fault) ? 'true' : nothing}
      @input=${(event: Event) => onInput((event.target as HTMLInputElement).value)}
  /></label>`;
}

function faultText({ faults, words }: PreferencesView, fault: string): TemplateResult | typeof nothing {
  return faults.has(fault)
    ? html`<small class="critical" role="alert">${words.faults[fault]}</small>`
    : nothing;
}

function receivingRow(view: PreferencesView, hours: Hours, at: number): TemplateResult {
  const { words, draft, set, context } = view;
  const change = (changes: Partial<Hours>) =>
    set({ receiving: draft.receiving.map((one, index) => (index === at ? { ...one, ...changes } : one)) });
  return html`<div class="receiving-row">
    ${boxesField(
      { ...fieldOf(view, `receiving_days_${at}`, words.days, ''), isInvalid: false },
      hours.days,
      dayNames(context.locale),
      (days) => change({ days }),
    )}
    ${time(view, 'receiving_hours', words.from, hours.from, (from) => change({ from }))}
    ${time(view, 'receiving_hours', words.to, endInField(hours.to), (to) => change({ to: endOfField(to) }))}
    <button
      type="button"
      aria-label=${words.remove_hours(at + 1)}
      @click=${() => set({ receiving: draft.receiving.filter((_, index) => index !== at) })}
    >
      ×
    </button>
  </div>`;
}

/** Each kind on each channel that suits it: yes, no, or as by default. */
export function choicesSection(view: PreferencesView): TemplateResult {
  const { words, context, stored, isSelf } = view;
  const { channels } = wordsIn(context.locale, deliveryWords);
  const choosable = stored.preferences.filter(({ locked }) => !locked);
  const kinds = [...new Set(choosable.map(({ kind }) => kind))];
  const title = isSelf ? words.preferences_self : words.preferences;
  return html`<section class="card form-section">
    <h2>${title}</h2>
    <div class="table-box wide">
      <table class="list choices">
        <caption class="sr-only">
          ${title}
        </caption>
        <thead>
          <tr>
            <th scope="col">${words.kind}</th>
            ${CHANNELS.map((channel) => html`<th scope="col">${channels[channel]}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${kinds.map(
            (kind) =>
              html`<tr>
                <th scope="row" class="main">${kindName(context.locale, kind)}</th>
                ${CHANNELS.map((channel) => {
                  const one = choosable.find((each) => each.kind === kind && each.channel === channel);
                  return html`<td data-label=${channels[channel] ?? channel}>
                    ${one === undefined ? nothing : choice(view, one, channels[channel] ?? channel)}
                  </td>`;
                })}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </section>`;
}

function choice(
  { words, context, draft, set }: PreferencesView,
  preference: EffectivePreference,
  channel: string,
): TemplateResult {
  const { kind, source, enabled, critical_enabled } = preference;
  const pair = pairOf(preference);
  const chosen = draft.choices.get(pair);
  const change = (event: Event) => {
    const { value } = event.target as HTMLSelectElement;
    const choices = new Map(draft.choices);
    if (value === '') choices.delete(pair);
    else choices.set(pair, value === 'on');
    set({ choices });
  };
  // Where the person has chosen, the server says what applies, not what would apply otherwise.
  const byDefault = source === 'user' ? words.by_default : enabled ? words.default_on : words.default_off;
  return html`<select aria-label=${words.choice(kindName(context.locale, kind), channel)} @change=${change}>
    <option value="" ?selected=${chosen === undefined}>${byDefault}</option>
    <option value="on" ?selected=${chosen === true}>${words.on}</option>
    <option value="off" ?selected=${chosen === false}>
      ${critical_enabled ? words.only_urgent : words.off}
    </option>
  </select>`;
}
