import { html, type PropertyValues, type TemplateResult } from 'lit';
import type { components } from '../../client/api.js';
import { RequestError } from '../../client/rest.js';
import { ago } from '../../design/time.js';
import { en, fr } from '../../words/console/operator-mails.js';
import { wordsIn } from '../context.js';
import { ListState } from '../list/list-state.js';
import { type Column, listTable } from '../list/table.js';
import { OperatorPage } from './operator-page.js';

type Mail = components['schemas']['CaughtMailLine'];

/** `/operator/mails`: what the mail catcher of a development installation received. */
export default class CaughtMailsPage extends OperatorPage {
  protected readonly tab = 'connections';
  /** This installation has no mail catcher. */
  private isOff = false;
  private readonly mails = new ListState<Mail>({
    load: (_filters, { limit, cursor }, signal) => this.load(limit, cursor, signal),
    idOf: ({ id }) => id,
    filters: [],
    onChange: () => this.requestUpdate(),
  });

  override get heading(): string {
    return this.mailWords.title;
  }

  private get mailWords() {
    return wordsIn(this.context.locale, { fr, en });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.mails.stop();
  }

  protected override refresh(): Promise<void> {
    return this.mails.refresh();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('query')) this.mails.read(this.query);
  }

  private async load(limit: number, cursor: string | undefined, signal: AbortSignal) {
    const query = { limit, ...(cursor === undefined ? {} : { cursor }) };
    try {
      return await this.context.api.get('/api/v1/admin/caught-mails', { params: { query }, signal });
    } catch (error) {
      if (!(error instanceof RequestError && error.code === 'not_found')) throw error;
      this.isOff = true;
      return { data: [], next_cursor: null };
    }
  }

  protected override render(): TemplateResult {
    const { context, mails, mailWords, columns } = this;
    const empty = this.isOff ? mailWords.off : mailWords.empty;
    return html`${this.head({ note: mailWords.note })}
    ${listTable({
      context,
      state: mails,
      columns,
      idOf: ({ id }) => id,
      caption: this.heading,
      empty,
      emptyFiltered: empty,
    })}`;
  }

  private get columns(): Column<Mail>[] {
    const { context, mailWords } = this;
    const { format } = context;
    const subjectOf = ({ subject }: Mail) => (subject === '' ? mailWords.no_subject : subject);
    return [
      {
        label: mailWords.received_at,
        cell: ({ received_at: at }) => ago(format, at),
        text: ({ received_at: at }) => at,
      },
      {
        label: mailWords.to,
        kind: 'main',
        cell: ({ to }) => html`<span dir="auto">${to.join(', ')}</span>`,
        text: ({ to }) => to.join(', '),
      },
      {
        label: mailWords.subject,
        kind: 'wide',
        cell: (mail) => html`<a href=${`/operator/mails/${mail.id}`} dir="auto">${subjectOf(mail)}</a>`,
        text: subjectOf,
      },
    ];
  }
}
