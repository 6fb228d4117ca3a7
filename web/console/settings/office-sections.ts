import { html, nothing, type TemplateResult } from 'lit';
import type { ConsoleContext } from '../context.js';
import type { SettingsWords } from '../../words/console/settings.js';
import { endInField, endOfField } from './end-time.js';
import { boxesField, choiceField, type Field, linesField, numberField, textField } from './fields.js';
import type { Settings, SettingsState } from './settings-state.js';

/** What the sections of the form share. */
export interface FormView {
  context: ConsoleContext;
  words: SettingsWords;
  state: SettingsState;
  draft: Settings;
}

const MAX_LIMIT = 1_000_000;
const MAX_RECIPIENTS = 20;
const ADDRESS = /^\S+@\S+\.\S+$/;

/** A field's name, words, and whether it is valid. */
export function fieldOf(
  { state }: FormView,
  name: string,
  label: string,
  rule: string,
  more: Pick<Field, 'hint' | 'kind'> = {},
): Field {
  return { name, label, rule, isInvalid: state.hasFault(name), ...more };
}

/** Takes what is typed into the draft, if it is a value. */
export function take(
  { state }: FormView,
  name: string,
  isValid: boolean,
  change: (draft: Settings) => Settings,
): void {
  if (isValid) state.change(change);
  state.mark(name, isValid);
}

/** Name, language and zone. */
export function officeSection(view: FormView): TemplateResult {
  const { words, state, draft } = view;
  return html`<section class="card form-section">
    <h2>${words.office}</h2>
    ${textField(
      fieldOf(view, '/name', words.name, words.name_rule),
      draft.name,
      (name, isValid) => take(view, '/name', isValid, (old) => ({ ...old, name })),
      { maxlength: 200, isRequired: true, check: (text) => text.trim() !== '' },
    )}
    ${choiceField(
      { name: '/locale', label: words.locale, hint: words.locale_hint },
      draft.locale,
      [
        ['fr', words.locales.fr],
        ['en', words.locales.en],
      ],
      (locale) => state.change((old) => ({ ...old, locale })),
    )}
    ${textField(
      fieldOf(view, '/time_zone', words.zone, words.zone_rule),
      draft.time_zone,
      (time_zone, isValid) => take(view, '/time_zone', isValid, (old) => ({ ...old, time_zone })),
      { maxlength: 60, isRequired: true, list: 'zones', check: isZone },
    )}
    <datalist id="zones">
      ${Intl.supportedValuesOf('timeZone').map((zone) => html`<option value=${zone}></option>`)}
    </datalist>
  </section>`;
}

/** When messages leave, how many, and who receives incidents. */
export function sendingSection(view: FormView): TemplateResult {
  const { words, state, draft } = view;
  const limit = (key: 'per_user_per_hour' | 'per_user_per_day', label: string) =>
    numberField(
      fieldOf(view, `/limits/${key}`, label, words.limit_rule, { hint: words.limit_hint }),
      draft.limits[key],
      { min: 0, max: MAX_LIMIT },
      (value, isValid) =>
        take(view, `/limits/${key}`, isValid, (old) => ({ ...old, limits: { ...old.limits, [key]: value } })),
    );
  return html`<section class="card form-section" id="sending">
    <h2>${words.sending}</h2>
    ${hours(view)}
    ${choiceField(
      { name: '/bundling', label: words.bundling },
      draft.bundling,
      [
        ['together', words.bundlings.together],
        ['single', words.bundlings.single],
      ],
      (bundling) => state.change((old) => ({ ...old, bundling })),
    )}
    ${limit('per_user_per_hour', words.per_hour)} ${limit('per_user_per_day', words.per_day)}
    ${linesField(
      fieldOf(view, '/alert_recipients', words.recipients, words.recipients_rule, {
        hint: words.recipients_hint,
        kind: 'wide',
      }),
      draft.alert_recipients.join('\n'),
      { rows: Math.min(Math.max(draft.alert_recipients.length + 1, 2), 8), maxlength: 6_000 },
      (text) => {
        const alert_recipients = text
          .split(/[\n,;]/)
          .map((line) => line.trim())
          .filter((line) => line !== '');
        const isValid =
          alert_recipients.length <= MAX_RECIPIENTS &&
          new Set(alert_recipients.map((one) => one.toLowerCase())).size === alert_recipients.length &&
          alert_recipients.every((one) => ADDRESS.test(one));
        take(view, '/alert_recipients', isValid, (old) => ({ ...old, alert_recipients }));
      },
    )}
  </section>`;
}

const USUAL_HOURS = { days: [1, 2, 3, 4, 5], from: '08:00', to: '19:00' };

function hours(view: FormView): TemplateResult {
  const { words, draft, context } = view;
  const { operating_hours: hours } = draft;
  const set = (operating_hours: Settings['operating_hours'], isValid = true) =>
    take(view, '/operating_hours', isValid, (old) => ({ ...old, operating_hours }));
  return html`<div class="group">
    ${choiceField(
      { name: '/operating_hours', label: words.hours, hint: words.sending_hint },
      hours === null ? 'any' : 'some',
      [
        ['any', words.any_hour],
        ['some', words.in_hours],
      ],
      (choice) => set(choice === 'any' ? null : USUAL_HOURS),
    )}
    ${hours === null ? nothing : hoursFields(view, hours, set, dayNames(context.locale))}
  </div>`;
}

function hoursFields(
  view: FormView,
  hours: NonNullable<Settings['operating_hours']>,
  set: (hours: NonNullable<Settings['operating_hours']>, isValid: boolean) => void,
  days: [number, string][],
): TemplateResult {
  const { words } = view;
  const isInvalid = view.state.hasFault('/operating_hours');
  const change = (changes: Partial<typeof hours>, isValid = true) => {
    const next = { ...hours, ...changes };
    set(next, isValid && next.days.length > 0 && next.from !== next.to);
  };
  return html`${boxesField(
    fieldOf(view, '/operating_hours/days', words.days, words.days_rule),
    hours.days,
    days,
    (chosen) => change({ days: chosen }),
  )}
  ${textField(
    { name: '/operating_hours/from', label: words.from, rule: '', isInvalid, kind: 'short' },
    hours.from,
    (from, isValid) => change({ from }, isValid),
    { type: 'time', isRequired: true },
  )}
  ${textField(
    {
      name: '/operating_hours/to',
      label: words.to,
      rule: hours.days.length === 0 ? words.days_rule : words.to_rule,
      isInvalid,
      kind: 'short',
      ...(hours.to < hours.from ? { hint: words.to_next_day } : {}),
    },
    endInField(hours.to),
    (to, isValid) => change({ to: endOfField(to) }, isValid),
    { type: 'time', isRequired: true },
  )}`;
}

/** The days of the week from Monday, as ISO numbers them. */
export function dayNames(locale: string): [number, string][] {
  const format = new Intl.DateTimeFormat(locale, { weekday: 'long', timeZone: 'UTC' });
  return [1, 2, 3, 4, 5, 6, 7].map((day) => [day, format.format(Date.UTC(2024, 0, day))]);
}

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format(0) !== '';
  } catch {
    return false;
  }
}
