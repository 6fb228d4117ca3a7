import { html, nothing, type TemplateResult } from 'lit';
import { choiceField, numberField, textField } from './fields.js';
import { dayNames, fieldOf, type FormView, take } from './office-sections.js';
import type { Settings } from './settings-state.js';

const MAX_TIMES = 24;
const MAX_STAGES = 20;
const MAX_DAYS = 365;

/** On which days before or after a date people are notified. */
export function stagesSection(view: FormView): TemplateResult {
  const { words, draft } = view;
  const stages = (key: keyof Settings['stages'], label: string, latest: number) => {
    const name = `/stages/${key}`;
    const rule = latest < 0 ? words.stages_late_rule : words.stages_rule;
    return textField(
      fieldOf(view, name, label, rule, latest < 0 ? { hint: words.tasks_hint } : {}),
      draft.stages[key].join(', '),
      (text) => {
        const days = daysIn(text, latest);
        take(view, name, days !== null, (old) => ({ ...old, stages: { ...old.stages, [key]: days ?? [] } }));
      },
      { maxlength: 200 },
    );
  };
  return html`<section class="card form-section" id="stages">
    <h2>${words.stages}</h2>
    <p class="note">${words.stages_hint}</p>
    ${stages('deadlines', words.deadlines, MAX_DAYS)} ${stages('documents', words.documents, MAX_DAYS)}
    ${stages('tasks', words.tasks, -1)}
  </section>`;
}

function daysIn(text: string, latest: number): number[] | null {
  const parts = text
    .split(/[,;]/)
    .map((part) => part.trim().replace(/^[−–+]/, (sign) => (sign === '+' ? '' : '-')));
  if (!parts.every((part) => /^-?\d{1,3}$/.test(part))) return null;
  const days = parts.map(Number);
  const isDistinct = new Set(days).size === days.length && days.length <= MAX_STAGES;
  return isDistinct && days.every((day) => day >= -MAX_DAYS && day <= latest) ? days : null;
}

type Schedule = Settings['schedule'];

/** The times of the jobs. */
export function scheduleSection(view: FormView): TemplateResult {
  const { words, draft, context } = view;
  const { schedule } = draft;
  const set = <Key extends keyof Schedule>(key: Key, value: Schedule[Key], isValid = true) =>
    take(view, `/schedule/${key}`, isValid, (old) => ({
      ...old,
      schedule: { ...old.schedule, [key]: value },
    }));
  const time = (key: 'weekly_summary' | 'update_statuses' | 'cleanup' | 'check_backups', label: string) =>
    textField(
      fieldOf(view, `/schedule/${key}`, label, words.time_rule, { kind: 'short' }),
      schedule[key],
      (value, isValid) => set(key, value, isValid),
      { type: 'time', isRequired: true },
    );
  const minutes = (
    key: 'scan_backups_minutes' | 'process_reminders_minutes',
    label: string,
    max: number,
    rule: string,
  ) =>
    numberField(
      fieldOf(view, `/schedule/${key}`, label, rule, { kind: 'short' }),
      schedule[key],
      { min: 5, max, isRequired: true },
      (value, isValid) => set(key, value ?? 0, isValid),
    );
  return html`<section class="card form-section" id="schedule">
    <h2>${words.schedule}</h2>
    ${checks(view, (times, isValid) => set('check_notifications', times, isValid))}
    ${choiceField(
      { name: '/schedule/weekly_summary_day', label: words.summary_day, kind: 'short' },
      String(schedule.weekly_summary_day),
      dayNames(context.locale).map(([day, name]) => [String(day), name] as const),
      (day) => set('weekly_summary_day', Number(day)),
    )}
    ${time('weekly_summary', words.summary_time)} ${time('update_statuses', words.update_statuses)}
    ${time('cleanup', words.cleanup)} ${time('check_backups', words.check_backups)}
    ${minutes('scan_backups_minutes', words.scan_minutes, 1_440, words.scan_rule)}
    ${minutes('process_reminders_minutes', words.reminder_minutes, 60, words.reminder_rule)}
  </section>`;
}

/** A list of times, at least one. */
function checks(view: FormView, set: (times: string[], isValid: boolean) => void): TemplateResult {
  const { words, draft, state } = view;
  const { check_notifications: times } = draft.schedule;
  const isInvalid = state.hasFault('/schedule/check_notifications');
  const change = (next: string[]) =>
    set(next, next.every((time) => time !== '') && new Set(next).size === next.length);
  const add = () => {
    const next = times.at(-1) ?? '08:00';
    const free = Array.from({ length: 24 }, (_, hour) => `${String(hour).padStart(2, '0')}:00`);
    change([
      ...times,
      free.find((time) => time > next && !times.includes(time)) ??
        free.find((one) => !times.includes(one)) ??
        '',
    ]);
  };
  return html`<fieldset class="boxes times">
    <legend>${words.check_notifications}</legend>
    ${times.map(
      (time, at) =>
        html`<span class="time-entry"
          ><input
            type="time"
            required
            aria-label=${words.check_notifications}
            aria-invalid=${isInvalid ? 'true' : nothing}
            .value=${time}
            @input=${(event: Event) =>
              change(
                times.map((one, index) => (index === at ? (event.target as HTMLInputElement).value : one)),
              )}
          />${
            times.length < 2
              ? nothing
              : html`<button
                  type="button"
                  aria-label=${words.remove_time(time)}
                  @click=${() => change(times.filter((_, index) => index !== at))}
                >
                  ×
                </button>`
          }</span
        >`,
    )}
    ${
      times.length < MAX_TIMES
        ? html`<button type="button" class="outlined" @click=${add}>${words.add_time}</button>`
        : nothing
    }
    ${isInvalid ? html`<small class="critical" role="alert">${words.time_rule}</small>` : nothing}
  </fieldset>`;
}

const USUAL_RETENTION = { keep_last: 30, keep_weekly: 8, keep_monthly: 12 };

/** Repeated alerts, and which files are kept. */
export function backupsSection(view: FormView): TemplateResult {
  const { words, draft } = view;
  const { retention } = draft.backups;
  const set = (changes: Partial<Settings['backups']>, name: string, isValid = true) =>
    take(view, name, isValid, (old) => ({ ...old, backups: { ...old.backups, ...changes } }));
  const kept = (
    key: 'keep_last' | 'keep_weekly' | 'keep_monthly',
    label: string,
    min: number,
    max: number,
  ) =>
    retention === null
      ? nothing
      : numberField(
          fieldOf(view, `/backups/retention/${key}`, label, words.keep_rule, { kind: 'short' }),
          retention[key],
          { min, max, isRequired: true },
          (value, isValid) =>
            set({ retention: { ...retention, [key]: value ?? 0 } }, `/backups/retention/${key}`, isValid),
        );
  return html`<section class="card form-section" id="backups">
    <h2>${words.backups}</h2>
    ${numberField(
      fieldOf(view, '/backups/repeat_after_hours', words.repeat, words.repeat_rule),
      draft.backups.repeat_after_hours,
      { min: 1, max: 720, isRequired: true },
      (value, isValid) => set({ repeat_after_hours: value ?? 0 }, '/backups/repeat_after_hours', isValid),
    )}
    <div class="group">
      ${choiceField(
        { name: '/backups/retention', label: words.retention, hint: words.keep_hint },
        retention === null ? 'all' : 'some',
        [
          ['all', words.keep_all],
          ['some', words.keep_some],
        ],
        (choice) => {
          view.state.mark('/backups/retention', true);
          set({ retention: choice === 'all' ? null : USUAL_RETENTION }, '/backups/retention');
        },
      )}
      ${kept('keep_last', words.keep_last, 1, 1_000)} ${kept('keep_weekly', words.keep_weekly, 0, 520)}
      ${kept('keep_monthly', words.keep_monthly, 0, 240)}
    </div>
  </section>`;
}
