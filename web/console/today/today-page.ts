import { html, nothing, type TemplateResult } from 'lit';
import { ago } from '../../design/time.js';
import { skeleton } from '../../design/skeleton.js';
import { en, fr, type TodayWords } from '../../words/console/today.js';
import { wordsIn } from '../context.js';
import { ConsolePage, failure, pageHead } from '../page.js';
import type { Overview } from './overview-state.js';
import { backupSection, documentSection, dueSection, type TodayView } from './sections.js';
import { followRuns } from './run-counts.js';
import { runSection } from './run-section.js';

/** `/`: what is wrong, what is due, and what Vigie did about it. */
export default class TodayPage extends ConsolePage {
  private end: (() => void) | null = null;
  private endProgress: (() => void) | null = null;

  private get words(): TodayWords {
    return wordsIn(this.context.locale, { fr, en });
  }

  override get heading(): string {
    return this.words.title;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const { overview } = this.context;
    this.end = overview.subscribe(() => this.requestUpdate());
    this.endProgress = followRuns(this.context);
    overview.open();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.end?.();
    this.endProgress?.();
  }

  protected override render(): TemplateResult {
    const { overview, words } = this.context;
    const retry = () => void overview.load();
    if (overview.data === null)
      return html`${pageHead(this.heading)}
      ${overview.fault === null ? skeleton(words.loading, 12) : failure(this.context, overview.fault, retry)}`;
    return html`${this.head(overview.data)}
    ${overview.fault === null ? nothing : failure(this.context, overview.fault, retry)}
    ${this.content(overview.data)}`;
  }

  private head({ today, scope, checked_at }: Overview): TemplateResult {
    const { words } = this;
    const { format } = this.context;
    const note = html`${format.longDate(today)} · ${scope === 'own' ? words.own : words.all} ·
    ${words.checked} ${format.time(checked_at)}`;
    return pageHead(this.heading, { note });
  }

  private content(data: Overview): TemplateResult {
    const { words, context } = this;
    const view: TodayView = { context, words, data };
    // Worst first, on a phone too.
    const isBad = data.backups.not_good > 0;
    return html`<div class="today">
      <div class="column">
        ${dueSection(view, 'late')} ${isBad ? backupSection(view) : nothing} ${dueSection(view, 'due_today')}
        ${dueSection(view, 'week')}
      </div>
      <div class="column">
        ${isBad ? nothing : backupSection(view)} ${documentSection(view)} ${runSection(view)}
        <section class="card" aria-labelledby="next-runs">
          <h2 id="next-runs">${words.sections.next_runs}</h2>
          ${
            data.next_runs.length === 0
              ? html`<p class="checked">${words.empty.next_runs}</p>`
              : html`<ul class="lines">
                  ${data.next_runs.map(
                    ({ job, at }) =>
                      html`<li>
                        <span class="name">${words.jobs[job]}</span
                        ><span class="when">${ago(context.format, at)}</span>
                      </li>`,
                  )}
                </ul>`
          }
          ${
            context.me.role === 'admin'
              ? html`<p class="checked"><a href="/preview">${words.preview}</a></p>`
              : nothing
          }
        </section>
      </div>
    </div>`;
  }
}
