import { html, nothing, type TemplateResult } from 'lit';
import { en as deliveriesEn, fr as deliveriesFr } from '../../words/console/deliveries.js';
import { en, fr, type ReminderWords } from '../../words/console/reminders.js';
import { wordsIn } from '../context.js';
import { type DialogHead, FormDialog } from '../form-dialog.js';
import { boxesField, choiceField, linesField, numberField, textField } from '../settings/fields.js';
import {
  bodyOf,
  draftOf,
  earlier,
  faultsIn,
  MAX_COUNT,
  MAX_DAYS,
  MAX_MESSAGE,
  newDraft,
  patchOf,
  type Reminder,
  type ReminderDraft,
  withChannels,
} from './reminder-draft.js';
import type { RemindersState } from './reminders-state.js';

/** Adds a reminder, or changes one. Sends `reminder-saved` and `dialog-closed`. */
export class ReminderDialog extends FormDialog {
  static override properties = { state: { attribute: false }, reminder: { attribute: false } };
  declare state: RemindersState;
  /** Null: a new one. */
  declare reminder: Reminder | null;
  private draft: ReminderDraft = newDraft();

  private get words(): ReminderWords {
    return wordsIn(this.context.locale, { fr, en });
  }

  protected override willUpdate(): void {
    if (this.hasUpdated) return;
    this.draft = this.reminder === null ? newDraft(this.state.ticketId ?? '') : draftOf(this.reminder);
  }

  protected override get head(): DialogHead {
    const { words, reminder } = this;
    return reminder === null
      ? { name: 'reminder', title: words.new_title, submit: words.add }
      : { name: 'reminder', title: words.edit_title, submit: words.save };
  }

  protected override check(): void {
    for (const [field, rule] of faultsIn(this.draft, this.words)) this.invalid.set(field, rule);
  }

  protected override refused(field: string): string | null {
    const rules: Readonly<Record<string, string>> = this.words.rules;
    if (field === 'ticket_id' && this.state.ticketId !== null) return null;
    return rules[field] ?? null;
  }

  protected override async save(): Promise<void> {
    const { reminder, draft, state } = this;
    const detail = await state.save(reminder, reminder === null ? bodyOf(draft) : patchOf(reminder, draft));
    this.dispatchEvent(new CustomEvent('reminder-saved', { detail }));
  }

  private change(changes: Partial<ReminderDraft>): void {
    const [field = ''] = Object.keys(changes);
    this.set(field, () => (this.draft = { ...this.draft, ...changes }));
  }

  protected override fields(): TemplateResult {
    const { words, draft } = this;
    const { fields, hints } = words;
    const half = (name: keyof typeof fields, hint?: string) => this.field(name, fields[name], hint, 'half');
    return html`${this.ticketField()}
    ${linesField(
      this.field('message', fields.message, hints.message),
      draft.message,
      { rows: 2, maxlength: MAX_MESSAGE },
      (message) => this.change({ message }),
    )}
    ${numberField(
      half('frequency_days'),
      draft.frequency_days,
      { min: 1, max: MAX_DAYS, isRequired: true },
      (frequency_days) => this.change({ frequency_days }),
    )}
    ${textField(
      half('local_time', hints.local_time),
      draft.local_time,
      (local_time) => this.change({ local_time }),
      { type: 'time', isRequired: true },
    )}
    ${textField(
      half('starts_on', hints.starts_on),
      draft.starts_on,
      (starts_on) => this.change({ starts_on }),
      { type: 'date' },
    )}
    ${numberField(
      half('ends_after', hints.ends_after),
      draft.ends_after,
      { min: 1, max: MAX_COUNT },
      (ends_after) => this.change({ ends_after }),
    )}
    ${this.channelsField()}`;
  }

  /** Open tickets, and the one that the reminder has. */
  private ticketField(): TemplateResult | typeof nothing {
    const { words, state, draft } = this;
    const tickets = state.tickets.filter(
      ({ id, settled_at }) => settled_at === null || id === draft.ticket_id,
    );
    if (state.ticketId !== null || tickets.length === 0) return nothing;
    return choiceField(
      this.field('ticket_id', words.fields.ticket_id, words.hints.ticket_id),
      draft.ticket_id,
      [['', words.no_ticket], ...tickets.map(({ id, title }) => [id, title] as const)],
      (ticket_id) => this.change({ ticket_id }),
    );
  }

  private channelsField(): TemplateResult {
    const { words, draft, context } = this;
    const { channels: names } = wordsIn(context.locale, { fr: deliveriesFr, en: deliveriesEn });
    const name = (channel: string) => names[channel] ?? channel;
    const isOrdered = draft.mode === 'first_that_works';
    return html`${boxesField(
      this.field('channels', words.fields.channels, undefined, 'short'),
      draft.channels.flatMap(({ channel, enabled }) => (enabled ? [channel] : [])),
      draft.channels.map(({ channel }) => [channel, name(channel)] as const),
      (on) => this.set('channels', () => (this.draft = withChannels(draft, on))),
    )}
    ${choiceField(
      { name: 'reminder-mode', label: words.fields.mode },
      draft.mode,
      [
        ['all', words.modes.all],
        ['first_that_works', words.modes.first_that_works],
      ],
      (mode) => this.change({ mode }),
    )}
    ${
      isOrdered
        ? html`<p class="buttons channel-order">
            ${draft.channels
              .slice(1)
              .map(
                ({ channel }, at) =>
                  html`<button
                    type="button"
                    class="outlined"
                    aria-label=${words.earlier(name(channel))}
                    @click=${() => this.set('channels', () => (this.draft = earlier(draft, at + 1)))}
                  >
                    ↑ ${name(channel)}
                  </button>`,
              )}
          </p>`
        : nothing
    }`;
  }
}

if (customElements.get('reminder-dialog') === undefined)
  customElements.define('reminder-dialog', ReminderDialog);
