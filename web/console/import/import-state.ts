import { RequestError } from '../../client/rest.js';
import type { Change, Fault, Import, ImportApi, Mapping, Outcome, Proposal } from './import-api.js';
import { headOf, typeOf } from './import-file.js';

const POLL_MS = 1_000;

export type Step = 'file' | 'columns' | 'difference' | 'done';
export type Tab = Outcome | 'rejected';

/** The lines of a tab that are shown. */
interface Shown {
  changes: readonly Change[];
  faults: readonly Fault[];
  cursor: string | null;
  isLoading: boolean;
}

const NOTHING: Shown = { changes: [], faults: [], cursor: null, isLoading: false };

/** An import by a person: choose, name the columns, compare, apply. No DOM. */
export class ImportState {
  step: Step = 'file';
  file: File | null = null;
  proposal: Proposal | null = null;
  /** The field of each column; empty: left out. */
  fields: readonly string[] = [];
  view: Import | null = null;
  /** What is under way; null: nothing. A second click does nothing. */
  work: 'reading' | 'sending' | 'applying' | 'loading' | null = null;
  fault: unknown = null;
  /** Somebody else has changed the items since they were compared. */
  isChanged = false;
  tab: Tab = 'created';
  shown: Shown = NOTHING;
  private poll: ReturnType<typeof setInterval> | null = null;

  constructor(
    private readonly api: ImportApi,
    private readonly onChange: () => void,
  ) {}

  /** Required fields without a column, and fields with several. */
  get columnFaults(): { missing: string[]; doubled: string[] } {
    const used = this.fields.filter((field) => field !== '');
    return {
      missing: this.proposal?.required.filter((field) => !used.includes(field)) ?? [],
      doubled: [...new Set(used.filter((field, at) => used.indexOf(field) !== at))],
    };
  }

  /** The number of items that applying creates or changes. */
  get changeCount(): number {
    return (this.view?.created ?? 0) + (this.view?.updated ?? 0);
  }

  /** Reads the columns of a CSV file; a file of another format names its fields, and is compared at once. */
  async choose(file: File): Promise<void> {
    await this.run('reading', async () => {
      this.file = file;
      if (typeOf(file) !== 'text/csv') return;
      this.proposal = await this.api.propose(await headOf(file));
      this.fields = this.proposal.columns.map(({ field }) => field ?? '');
      this.step = 'columns';
    });
    if (this.fault === null && typeOf(file) !== 'text/csv') await this.compare();
  }

  setField(column: number, field: string): void {
    this.fields = this.fields.with(column, field);
    this.onChange();
  }

  /** Sends the whole file. */
  async compare(): Promise<void> {
    const { file } = this;
    if (file === null) return;
    await this.run('sending', async () => {
      this.view = null;
      this.startPolling();
      try {
        await this.showDifference(await this.api.dryRun(file, typeOf(file), this.mapping));
      } finally {
        this.stopPolling();
      }
    });
  }

  /** Shows an import that an address names. */
  async open(id: string): Promise<void> {
    if (this.view?.id === id) {
      this.step = this.view.state === 'done' ? 'done' : 'difference';
      this.onChange();
      return;
    }
    await this.run('loading', async () => {
      const view = await this.api.get(id);
      if (view.state === 'done') Object.assign(this, { view, step: 'done' });
      else await this.showDifference(view);
    });
  }

  async apply(): Promise<void> {
    const { view } = this;
    if (view === null) return;
    await this.run('applying', async () => {
      try {
        this.view = await this.api.apply(view.id);
        this.step = 'done';
      } catch (error) {
        if (!(error instanceof RequestError) || error.code !== 'count_changed') throw error;
        this.isChanged = true;
        await this.showDifference(await this.api.get(view.id));
      }
    });
  }

  /** Forgets a dry run, here and on the server, where it would be kept for a day. */
  async discard(): Promise<void> {
    const { view } = this;
    if (view?.state === 'staged') await this.run('loading', () => this.api.discard(view.id));
    this.reset();
  }

  /** The first step, with nothing chosen. */
  reset(): void {
    Object.assign(this, {
      step: 'file',
      file: null,
      proposal: null,
      fields: [],
      view: null,
      isChanged: false,
    });
    Object.assign(this, { fault: null, shown: NOTHING, tab: 'created' });
    this.onChange();
  }

  backToColumns(): void {
    this.step = this.proposal === null ? 'file' : 'columns';
    this.fault = null;
    this.onChange();
  }

  async showTab(tab: Tab): Promise<void> {
    this.tab = tab;
    this.shown = NOTHING;
    await this.more();
  }

  /** Loads more lines of the tab. */
  async more(): Promise<void> {
    const { tab, view, shown } = this;
    if (view === null || shown.isLoading) return;
    this.shown = { ...shown, isLoading: true };
    this.onChange();
    try {
      const page =
        tab === 'rejected'
          ? { ...(await this.api.faults(view.id, shown.cursor)), rows: 'faults' as const }
          : { ...(await this.api.changes(view.id, tab, shown.cursor)), rows: 'changes' as const };
      if (this.tab !== tab || this.view?.id !== view.id) return;
      this.shown = { ...shown, cursor: page.next_cursor, isLoading: false };
      if (page.rows === 'faults') this.shown.faults = [...shown.faults, ...page.data];
      else this.shown.changes = [...shown.changes, ...page.data];
    } catch (error) {
      this.shown = { ...shown, isLoading: false };
      this.fault = error;
    }
    this.onChange();
  }

  stop(): void {
    this.stopPolling();
  }

  private get mapping(): Mapping | null {
    const { proposal, fields } = this;
    if (proposal === null) return null;
    return {
      columns: fields.map((field) => (field === '' ? '-' : field)).join(','),
      header_line: proposal.header_line,
      separator: proposal.separator,
    };
  }

  private async showDifference(view: Import): Promise<void> {
    this.view = view;
    this.step = 'difference';
    const tabs: [Tab, number][] = [
      ['rejected', view.rejected],
      ['created', view.created],
      ['updated', view.updated],
      ['missing', view.missing ?? 0],
    ];
    // Worst first.
    await this.showTab(tabs.find(([, count]) => count > 0)?.[0] ?? 'created');
  }

  private async run(work: NonNullable<ImportState['work']>, act: () => Promise<unknown>): Promise<void> {
    if (this.work !== null) return;
    this.work = work;
    this.fault = null;
    this.onChange();
    try {
      await act();
    } catch (error) {
      this.fault = error;
    } finally {
      this.work = null;
      this.onChange();
    }
  }

  /** Shows the server's progress until it answers. */
  private startPolling(): void {
    let isAsking = false;
    this.poll ??= setInterval(() => {
      if (isAsking) return;
      isAsking = true;
      void this.api
        .underWay()
        .then((view) => {
          if (this.work !== 'sending' || view === null) return;
          this.view = view;
          this.onChange();
        })
        .catch(() => undefined)
        .finally(() => (isAsking = false));
    }, POLL_MS);
  }

  private stopPolling(): void {
    if (this.poll !== null) clearInterval(this.poll);
    this.poll = null;
  }
}
