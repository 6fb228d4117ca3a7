import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { badge } from '../../design/badge.js';
import { skeleton } from '../../design/skeleton.js';
import { en as deliveriesEn, fr as deliveriesFr } from '../../words/console/deliveries.js';
import { en, fr, type ReminderWords } from '../../words/console/reminders.js';
import { type ConsoleContext, wordsIn } from '../context.js';
import { failure } from '../page.js';
import { Acting } from '../settings/acting.js';
import './reminder-dialog.js';
import type { Reminder } from './reminder-draft.js';
import { RemindersState } from './reminders-state.js';

/** The reminders of a person, or those of one ticket: added, changed, paused, resumed and ended here. */
export class RemindersSection extends LitElement {
  static override properties = {
    context: { attribute: false },
    userId: { attribute: false },
    ticketId: { attribute: false },
  };
  declare context: ConsoleContext;
  declare userId: string;
  /** Null: of all tickets and of none. */
  declare ticketId: string | null;
  private state: RemindersState | null = null;
  /** What the dialog is about; null: a new one; undefined: it is closed. */
  private edited: Reminder | null | undefined = undefined;
  private readonly acting = new Acting(() => this.requestUpdate());

  constructor() {
    super();
    this.ticketId = null;
  }

  protected override createRenderRoot(): this {
    return this;
  }

  protected override willUpdate(_changed: PropertyValues): void {
    const { userId, ticketId, state } = this;
    if (state?.userId === userId && state.ticketId === ticketId) return;
    this.state = new RemindersState(this.context.api, userId, ticketId, () => this.requestUpdate());
    void this.state.load();
  }

  private get words(): ReminderWords {
    return wordsIn(this.context.locale, { fr, en });
  }

  protected override render(): TemplateResult {
    const { words, state, context, edited } = this;
    return html`<section class="card reminders">
      <div class="card-head">
        <h2>${words.title}</h2>
        <button type="button" class="outlined" @click=${() => this.edit(null)}>${words.add}</button>
      </div>
      ${state === null ? nothing : this.list(state)}
      ${
        edited === undefined
          ? nothing
          : html`<reminder-dialog
              .context=${context}
              .state=${state}
              .reminder=${edited}
              @dialog-closed=${() => this.edit(undefined)}
              @reminder-saved=${() => {
                this.edit(undefined);
                context.toast({ text: words.saved, tone: 'good' });
                void state?.load();
              }}
            ></reminder-dialog>`
      }
    </section>`;
  }

  private edit(reminder: Reminder | null | undefined): void {
    this.edited = reminder;
    this.requestUpdate();
  }

  private list(state: RemindersState): TemplateResult {
    const { words, context } = this;
    const { reminders, fault } = state;
    if (fault !== null) return failure(context, fault, () => void state.load());
    if (reminders === null) return skeleton(context.words.loading, 2);
    if (reminders.length === 0) return html`<p class="note">${words.none} ${words.note}</p>`;
    return html`<ul class="person-acts">
      ${reminders.map((reminder) => this.row(state, reminder))}
    </ul>`;
  }

  private row(state: RemindersState, reminder: Reminder): TemplateResult {
    const { words } = this;
    const ticket = state.ticketOf(reminder);
    const name = reminder.message ?? ticket?.title ?? words.a_reminder;
    return html`<li>
      <div class="name">
        <span class="clamp" dir="auto" title=${name}>${name}</span>
        ${
          ticket === null || state.ticketId !== null
            ? nothing
            : html`<small><a href="/due-items/tickets/${ticket.id}" dir="auto">${ticket.title}</a></small>`
        }
        <small>${this.schedule(reminder)}</small>
        <small class="state-line">${this.stateOf(reminder)}</small>
      </div>
      <div class="buttons">${this.buttons(state, reminder, name)}</div>
    </li>`;
  }

  private schedule({ frequency_days, local_time, channels, mode }: Reminder): string {
    const { words, context } = this;
    const { channels: names } = wordsIn(context.locale, { fr: deliveriesFr, en: deliveriesEn });
    const on = channels.flatMap(({ channel, enabled }) => (enabled ? [names[channel] ?? channel] : []));
    const list = on.join(', ');
    return [
      `${words.every(context.format.number(frequency_days))} ${words.at(local_time)}`,
      mode === 'first_that_works' && on.length > 1 ? `${list} (${words.first_that_works})` : list,
    ].join(' · ');
  }

  private stateOf(reminder: Reminder): TemplateResult {
    const { words, context } = this;
    const { format } = context;
    const { active, ended_at, end_reason, next_on, local_time, sent_count, ends_after } = reminder;
    const sent = words.sent(
      format.number(sent_count),
      ends_after === null ? null : format.number(ends_after),
    );
    if (ended_at !== null)
      return html`${badge('neutral', words.states.ended)}
        <span>${end_reason === null ? sent : (words.end_reasons[end_reason] ?? sent)}</span>`;
    if (!active) return html`${badge('warning', words.states.paused)} <span>${sent}</span>`;
    const next = next_on === null ? '' : words.next(format.date(next_on), local_time);
    return html`${badge('good', words.states.active)} <span>${next} · ${sent}</span>`;
  }

  private buttons(state: RemindersState, reminder: Reminder, name: string): TemplateResult {
    const { words } = this;
    const { active, ended_at } = reminder;
    const [word, label] =
      ended_at !== null
        ? [words.restart, words.restart_one(name)]
        : active
          ? [words.pause, words.pause_one(name)]
          : [words.resume, words.resume_one(name)];
    const button = (text: string, description: string, act: () => void, tone = '') =>
      html`<button
        type="button"
        class="outlined ${tone}"
        aria-label=${description}
        aria-disabled=${this.acting.now ? 'true' : 'false'}
        @click=${act}
      >
        ${text}
      </button>`;
    return html`${button(words.edit, words.edit_one(name), () => this.edit(reminder))}
    ${button(word, label, () => void this.setActive(state, reminder, !active || ended_at !== null))}
    ${button(words.end, words.end_one(name), () => void this.end(state, reminder), 'danger')}`;
  }

  private setActive(state: RemindersState, reminder: Reminder, active: boolean): Promise<void> {
    const { words, context } = this;
    return this.acting.run(context, async () => {
      await state.setActive(reminder, active);
      context.toast({ text: active ? words.resumed_done : words.paused_done, tone: 'good' });
    });
  }

  private end(state: RemindersState, reminder: Reminder): Promise<void> {
    const { words, context } = this;
    return this.acting.run(context, async () => {
      const question = { title: words.end_title, text: words.end_text, confirm: words.end };
      if (!(await context.confirm({ ...question, isDangerous: true }))) return;
      await state.end(reminder);
      context.toast({ text: words.ended, tone: 'good' });
    });
  }
}

if (customElements.get('reminders-section') === undefined)
  customElements.define('reminders-section', RemindersSection);
