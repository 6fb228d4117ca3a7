import type { ApiClient } from '../../client/api-client.js';
import { en, fr } from '../../words/console/operator.js';
import { type ConsoleContext, wordsIn } from '../context.js';
import { Resource } from '../resource.js';
import { type Facts, problemsOf } from './problems.js';

const REFRESH_MS = 15_000;

/**
 * The problems of the installation, for operators. They are loaded on every page: the window title shows their number,
 * and a new critical problem is announced.
 */
class Installation {
  readonly facts: Resource<Facts>;
  private readonly listeners = new Set<() => void>();
  /** The critical problems of the last answer; null: no answer yet. */
  private known: ReadonlySet<string> | null = null;
  private answeredAt: number | null = null;
  private isWatched = false;

  constructor(api: ApiClient) {
    this.facts = new Resource(
      (signal) => read(api, signal),
      () => {
        for (const listener of [...this.listeners]) listener();
      },
    );
  }

  /** @returns a function that unsubscribes */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Loads the facts, unless they are loaded or loading. */
  open(): void {
    if (this.facts.value === null && !this.facts.isLoading) void this.facts.load();
  }

  /** Reloads periodically while the console is open. @param context returns the current one: its language may change */
  watch(context: () => ConsoleContext): void {
    if (this.isWatched) return;
    this.isWatched = true;
    this.subscribe(() => this.announce(context()));
    const { live, session } = context();
    const load = () => {
      if (!session.isExpired) void this.facts.load();
    };
    live.subscribe(load, { everyMs: REFRESH_MS });
    this.announce(context());
    this.open();
  }

  private announce(context: ConsoleContext): void {
    const { value, loadedAt } = this.facts;
    if (value === null || loadedAt === this.answeredAt) return;
    this.answeredAt = loadedAt;
    const problems = problemsOf(value, context);
    context.overview.report(problems.length);
    const critical = problems.filter(({ tone }) => tone === 'critical');
    const { known } = this;
    this.known = new Set(critical.map(({ id }) => id));
    const news = known === null ? [] : critical.filter(({ id }) => !known.has(id));
    const [first] = news;
    if (first === undefined) return;
    // One toast is shown at a time; the first tab lists all.
    const href = news.length === 1 ? first.href : '/operator';
    const { show_problem: label } = wordsIn(context.locale, { fr, en });
    const act = () => context.navigate(href);
    context.toast({
      text: news.map(({ text }) => text).join(' · '),
      tone: 'critical',
      action: { label, act },
    });
  }
}

const installations = new WeakMap<ApiClient, Installation>();

/** The shared instance of this client. */
export function installationOf(api: ApiClient): Installation {
  const known = installations.get(api);
  if (known !== undefined) return known;
  const installation = new Installation(api);
  installations.set(api, installation);
  return installation;
}

async function read(api: ApiClient, signal: AbortSignal): Promise<Facts> {
  const [queues, activity, timeline] = await Promise.all([
    api.get('/api/v1/admin/queues', { signal }),
    api.get('/api/v1/admin/activity', { signal }),
    api.get('/api/v1/admin/timeline', { params: { query: { limit: 1, hours: 6, job: 'cleanup' } }, signal }),
  ]);
  return { queues: queues.data, activity, scheduler: timeline };
}
