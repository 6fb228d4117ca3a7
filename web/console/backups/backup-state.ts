import type { ApiClient } from '../../client/api-client.js';
import type { components, paths } from '../../client/api.js';
import type { AlertDetail } from '../alerts/alert-acts.js';
import type { ListPage, Part } from '../list/list-state.js';
import { Resource } from '../resource.js';

type Schemas = components['schemas'];
export type Status = Schemas['BackupBoardRow'];
export type Job = Schemas['BackupJob'];
export type Entry = Schemas['BackupEntry'];
type EntriesQuery = NonNullable<paths['/api/v1/backups/entries']['get']['parameters']['query']>;
export type Note = Schemas['BackupNote'];

/** Which backup: a job, or a database that no job expects. */
export type Which = { job_id: string } | { agent_id: string; database_name: string };

/** The most alerts that are shown with who was notified. */
const MAX_ALERTS = 10;

/** What is known of a backup. */
interface Backup {
  status: Status | null;
  job: Job | null;
  alerts: readonly AlertDetail[];
  notes: readonly Note[];
}

/** A backup with everything around it. Its entries are a list of their own. No DOM. */
export class BackupState {
  isSaving = false;
  private which: Which | null = null;
  private readonly loaded: Resource<Backup>;

  constructor(
    private readonly api: Pick<ApiClient, 'get' | 'post' | 'delete'>,
    private readonly onChange: () => void,
  ) {
    this.loaded = new Resource((signal) => this.read(signal), onChange);
  }

  /** What is shown stays `shown`, if only a refresh failed. */
  get phase(): 'loading' | 'shown' | 'failed' {
    const { value, fault } = this.loaded;
    if (value !== null) return 'shown';
    return fault === null ? 'loading' : 'failed';
  }

  get fault(): unknown {
    return this.loaded.fault;
  }

  get status(): Status | null {
    return this.loaded.value?.status ?? null;
  }

  /** Null: no job expects this database. */
  get job(): Job | null {
    return this.loaded.value?.job ?? null;
  }

  /** The newest first. */
  get alerts(): readonly AlertDetail[] {
    return this.loaded.value?.alerts ?? [];
  }

  get notes(): readonly Note[] {
    return this.loaded.value?.notes ?? [];
  }

  /** Shows this backup; another one first as loading. */
  open(which: Which): void {
    const key = JSON.stringify(which);
    if (key !== JSON.stringify(this.which)) this.which = which;
    this.loaded.open(key);
  }

  refresh(): Promise<void> {
    return this.loaded.load();
  }

  /** A page of its results, newest first. */
  async entries(
    filters: Pick<EntriesQuery, 'verdict' | 'since' | 'until'>,
    { limit, cursor }: Part,
    signal: AbortSignal,
  ): Promise<ListPage<Entry>> {
    const query = { ...this.which, ...filters, limit, ...(cursor === undefined ? {} : { cursor }) };
    return this.api.get('/api/v1/backups/entries', { params: { query }, signal });
  }

  /** Changes an alert at once. @returns rolls it back */
  patchAlert(id: string, changes: Partial<AlertDetail>): () => void {
    return this.loaded.change((backup) => ({
      ...backup,
      alerts: backup.alerts.map((alert) => (alert.id === id ? { ...alert, ...changes } : alert)),
    }));
  }

  /** Adds a note. A second call during the first does nothing. @throws RequestError @returns whether it was added */
  async addNote(text: string): Promise<boolean> {
    const { which } = this;
    if (this.isSaving || which === null || !('job_id' in which) || text.trim() === '') return false;
    return this.saving(async () => {
      const note = await this.api.post('/api/v1/backups/jobs/{id}/notes', {
        params: { path: { id: which.job_id } },
        body: { text },
      });
      if (which === this.which) this.changeNotes((notes) => [note, ...notes]);
    });
  }

  /** Removes a note at once, and restores it on error. @throws RequestError */
  async removeNote(id: string): Promise<boolean> {
    if (this.isSaving) return false;
    const undo = this.changeNotes((notes) => notes.filter((note) => note.id !== id));
    return this.saving(async () => {
      try {
        await this.api.delete('/api/v1/backups/notes/{id}', { params: { path: { id } } });
      } catch (error) {
        undo();
        throw error;
      }
    });
  }

  stop(): void {
    this.loaded.stop();
  }

  private changeNotes(to: (notes: readonly Note[]) => readonly Note[]): () => void {
    return this.loaded.change((backup) => ({ ...backup, notes: to(backup.notes) }));
  }

  private async saving(work: () => Promise<void>): Promise<true> {
    this.isSaving = true;
    this.onChange();
    try {
      await work();
      return true;
    } finally {
      this.isSaving = false;
      this.onChange();
    }
  }

  private async read(signal: AbortSignal): Promise<Backup> {
    const { which } = this;
    if (which === null) return { status: null, job: null, alerts: [], notes: [] };
    const reading = this.readStatus(which, signal);
    const [status, job, notes, alerts] = await Promise.all([
      reading,
      this.readJob(which, signal),
      this.readNotes(which, signal),
      this.readAlerts(which, reading, signal),
    ]);
    return { status, job, notes, alerts };
  }

  private async readStatus(which: Which, signal: AbortSignal): Promise<Status | null> {
    const board = await this.api.get('/api/v1/backups/status', {
      params: { query: { ...which, limit: 1 } },
      signal,
    });
    return board.data[0] ?? null;
  }

  private async readJob(which: Which, signal: AbortSignal): Promise<Job | null> {
    if (!('job_id' in which)) return null;
    return this.api.get('/api/v1/backups/jobs/{id}', { params: { path: { id: which.job_id } }, signal });
  }

  private async readNotes(which: Which, signal: AbortSignal): Promise<readonly Note[]> {
    if (!('job_id' in which)) return [];
    const page = await this.api.get('/api/v1/backups/jobs/{id}/notes', {
      params: { path: { id: which.job_id }, query: { limit: 200 } },
      signal,
    });
    return page.data;
  }

  /** Alerts of the job, and those of its silent agent, which the status lists as incidents. */
  private async readAlerts(
    which: Which,
    reading: Promise<Status | null>,
    signal: AbortSignal,
  ): Promise<AlertDetail[]> {
    if (!('job_id' in which)) return [];
    const [{ data: own }, status] = await Promise.all([
      this.api.get('/api/v1/alerts', {
        params: { query: { source_type: 'backup_job', source_id: which.job_id, limit: MAX_ALERTS } },
        signal,
      }),
      reading,
    ]);
    const ids = new Set([...(status?.incidents ?? []), ...own].map(({ id }) => id));
    const alerts = await Promise.all(
      [...ids]
        .slice(0, MAX_ALERTS)
        .map((id) => this.api.get('/api/v1/alerts/{id}', { params: { path: { id } }, signal })),
    );
    return alerts.sort((one, other) => (one.first_seen_at < other.first_seen_at ? 1 : -1));
  }
}

/** The sizes of good and doubtful backups, oldest first. `at` in ms, `size` in bytes. */
export type Sizes = readonly { at: number; size: number }[];

export function sizesOf(entries: readonly Entry[]): Sizes {
  return entries
    .flatMap((entry) =>
      entry.server_size_bytes !== null && entry.verdict === 'SUCCESS'
        ? [{ at: Date.parse(entry.effective_at), size: entry.server_size_bytes }]
        : [],
    )
    .reverse();
}
