import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { shape } from '../../design/badge.js';
import * as jobWords from '../../words/console/backup-jobs.js';
import * as todayWords from '../../words/console/today.js';
import { type BackupWords, en, fr } from '../../words/console/backups.js';
import { wordsIn } from '../context.js';
import { type Filter, filterBar } from '../list/filter-bar.js';
import { ListState } from '../list/list-state.js';
import { RowWindow } from '../list/row-window.js';
import { listTable } from '../list/table.js';
import { ConsolePage, pageHead } from '../page.js';
import { countTexts, followRuns } from '../today/run-counts.js';
import { BoardLoader } from './board-loader.js';
import { type BoardRow, CONDITION_TONES, CONDITIONS, NOT_GOOD } from './board-rows.js';
import { boardColumns } from './board-columns.js';
import type { Job } from './backup-state.js';
import './job-dialog.js';

/** Scans run every 15 minutes at most: a minute later is soon. */
const REFRESH_MS = 60_000;
const MIN_GAP_MS = 5_000;
const VERDICTS = ['FAILED', 'TRANSFER_INTEGRITY_FAILED', 'HASH_MISMATCH', 'MISSING', 'SUCCESS'] as const;

/** `/backups`: one row a job, the worst first. */
export default class BackupsPage extends ConsolePage {
  private loader: BoardLoader | null = null;
  private ends: (() => void)[] = [];
  private later: ReturnType<typeof setTimeout> | null = null;
  private isAdding = false;
  private readonly window = new RowWindow(() => this.requestUpdate());
  private readonly list = new ListState<BoardRow>({
    load: (filters, _part, signal) => this.board.page(filters, signal),
    idOf: (row) => row.key,
    filters: ['q', 'show', 'sort'],
    defaults: { sort: 'verdict' },
    onChange: () => this.requestUpdate(),
  });

  override get heading(): string {
    return this.words.title;
  }

  private get words(): BackupWords {
    return wordsIn(this.context.locale, { fr, en });
  }

  private get board(): BoardLoader {
    return (this.loader ??= new BoardLoader(this.context.api));
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const { live, overview } = this.context;
    this.ends = [
      live.subscribe(() => this.refresh(), { everyMs: REFRESH_MS }),
      overview.subscribe(() => this.requestUpdate()),
      followRuns(this.context),
    ];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const end of this.ends) end();
    if (this.later !== null) clearTimeout(this.later);
    this.window.stop();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('query')) this.list.read(this.query);
  }

  /** The whole board is a large answer: changes that come soon after each other load it once. */
  private refresh(): void {
    if (this.later !== null) return;
    const age = Date.now() - (this.list.loadedAt ?? 0);
    this.later = setTimeout(
      () => {
        this.later = null;
        this.board.forget();
        void this.list.refresh();
      },
      Math.max(0, MIN_GAP_MS - age),
    );
  }

  protected override render(): TemplateResult {
    const { context, words, list } = this;
    const columns = boardColumns(words, context.format);
    return html`${pageHead(words.title, { note: this.note(), actions: this.actions() })} ${this.summary()}
    ${filterBar({ context, state: list, filters: this.filters(), csv: { name: 'backups.csv', columns } })}
    ${listTable({
      context,
      state: list,
      columns,
      idOf: (row) => row.key,
      caption: words.caption,
      window: this.window,
      className: 'board',
      empty: html`<p>${words.empty}</p>
        <p class="note">${words.empty_hint}</p>`,
      emptyFiltered: html`<p>${words.empty_filtered}</p>`,
    })}
    ${this.isAdding ? this.dialog() : nothing}`;
  }

  private actions(): unknown {
    const { context } = this;
    if (context.me.role !== 'admin') return nothing;
    const words = wordsIn(context.locale, jobWords);
    return html`<a class="button outlined" href="/backups/import">${words.import}</a>
      <button type="button" class="filled" @click=${() => this.setAdding(true)}>${words.add}</button>`;
  }

  private setAdding(isAdding: boolean): void {
    this.isAdding = isAdding;
    this.requestUpdate();
  }

  private dialog(): TemplateResult {
    const { context } = this;
    return html`<job-dialog
      .context=${context}
      .agents=${this.board.agents}
      @dialog-closed=${() => this.setAdding(false)}
      @job-saved=${({ detail }: CustomEvent<Job>) => {
        const { created } = wordsIn(context.locale, jobWords);
        context.toast({ text: created(detail.database_name), tone: 'good' });
        context.navigate(`/backups/${detail.id}`);
      }}
    ></job-dialog>`;
  }

  private note(): unknown {
    const { words, context, board } = this;
    if (board.asOf === null) return nothing;
    const total = context.format.number(board.total);
    const checked = words.checked(context.format.time(board.asOf), words.jobs(total));
    const cut = board.isCut ? `. ${wordsIn(context.locale, jobWords).first_rows(total)}` : '';
    return html`${checked}${cut}${this.scan()}`;
  }

  /** The progress of a scan that is running. */
  private scan(): unknown {
    const { locale, overview } = this.context;
    const scan = overview.data?.runs.find(({ job, state }) => job === 'scan-backups' && state === 'running');
    if (scan === undefined) return nothing;
    const { counts } = wordsIn(locale, todayWords);
    return html` <span role="status"
      >${this.words.scanning(countTexts(scan.counts, counts).join(', '))}</span
    >`;
  }

  /** How many are wrong; each number leads to its rows. */
  private summary(): unknown {
    const { words, context, list } = this;
    const { counts } = this.board;
    if (counts === null) return html`<p class="summary" aria-hidden="true">&nbsp;</p>`;
    return html`<ul class="summary">
      ${CONDITIONS.filter((condition) => counts[condition] > 0).map((condition) => {
        const isCurrent = list.filters.show === condition;
        return html`<li>
          <a
            href=${list.url({ show: isCurrent ? null : condition })}
            aria-current=${isCurrent ? 'true' : nothing}
            >${shape(CONDITION_TONES[condition])}
            <span>${words.counts[condition](context.format.number(counts[condition]))}</span></a
          >
        </li>`;
      })}
    </ul>`;
  }

  private filters(): Filter[] {
    const { words } = this;
    return [
      { kind: 'search', name: 'q', label: words.search },
      {
        kind: 'choice',
        name: 'show',
        label: words.filter,
        choices: [
          ['', words.all],
          [NOT_GOOD, words.not_good],
          ...CONDITIONS.map((condition) => [condition, words.conditions[condition]] as const),
          ...VERDICTS.map((verdict) => [verdict, `– ${words.verdicts[verdict]}`] as const),
        ],
      },
    ];
  }
}
