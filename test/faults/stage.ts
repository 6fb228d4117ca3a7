import { Driver } from './driver.js';
import { Installation, type StartDatabase } from './installation.js';
import type { RunOptions, Verdict } from './scenario.js';
import { Sink } from './sink.js';

/** What a scenario works with: an installation, its mail server, and the failed expectations so far. */
export class Stage {
  readonly broken: string[] = [];

  constructor(
    readonly installation: Installation,
    readonly sink: Sink,
  ) {}

  /** Records a failed expectation. */
  expect(holds: boolean, otherwise: string): void {
    if (!holds) this.broken.push(otherwise);
  }

  /**
   * Waits until no delivery is in progress, then checks: every accepted id must have one finished delivery, and every
   * sent one must have arrived.
   */
  async judge(
    driver: Driver,
    { seed }: RunOptions,
    about: Pick<Verdict, 'id' | 'repetitions' | 'dup_bound'>,
  ): Promise<Verdict> {
    this.expect(await this.installation.drained(60_000), 'deliveries were still under way after a minute');
    const lost = await this.lost(driver.accepted);
    const repeats = this.sink.repeats();
    const mails = [...repeats.values()].reduce((sum, times) => sum + times, 0);
    const dup = await this.repeatedNotifications(repeats);
    this.expect(lost.length === 0, `lost: ${lost.slice(0, 5).join(', ')}`);
    this.expect(mails <= about.dup_bound, `${mails} duplicates, at most ${about.dup_bound} are allowed`);
    return {
      ...about,
      // The bound counts mails; each repeated mail may repeat all of its notifications.
      dup_bound: about.dup_bound + dup - mails,
      accepted: driver.accepted.length,
      lost: lost.length,
      dup,
      seed,
      ok: this.broken.length === 0,
      broken: this.broken,
    };
  }

  /** The notifications in the repeated mails. */
  private async repeatedNotifications(repeats: ReadonlyMap<string, number>): Promise<number> {
    const rows = await this.installation.sql<{ bundle_id: string; size: string }>(
      `SELECT bundle_id, count(*) AS size FROM deliveries
       WHERE bundle_id = ANY ($1::uuid[]) AND state <> 'suppressed' GROUP BY 1`,
      [[...repeats.keys()]],
    );
    return rows.reduce((sum, { bundle_id, size }) => sum + Number(size) * (repeats.get(bundle_id) ?? 0), 0);
  }

  private async lost(accepted: readonly string[]): Promise<string[]> {
    const rows = await this.installation.sql<{ promise: string; bundle_id: string | null; state: string }>(
      `SELECT coalesce(n.data ->> 'deadline_id', CASE n.kind WHEN 'message' THEN n.id ELSE n.user_id END::text)
                AS promise, d.bundle_id, d.state
       FROM deliveries d JOIN notifications n ON n.tenant_id = d.tenant_id AND n.id = d.notification_id`,
    );
    const received = new Set(this.sink.received);
    const outcomes = new Map<string, string[]>();
    for (const { promise, bundle_id, state } of rows) {
      const outcome = state === 'sent' && !received.has(bundle_id ?? '') ? 'sent but not received' : state;
      outcomes.set(promise, [...(outcomes.get(promise) ?? []), outcome]);
    }
    const kept = ['sent', 'failed', 'unknown', 'suppressed', 'cancelled'];
    return accepted.flatMap((promise) => {
      const [outcome, ...more] = outcomes.get(promise) ?? ['no delivery'];
      if (outcome !== undefined && kept.includes(outcome) && more.length === 0) return [];
      return [`${promise} (${[outcome, ...more].join(', ')})`];
    });
  }
}

/** Sets up a stage, runs the scenario, and always tears the stage down. */
export async function onStage<Result>(
  environment: Readonly<Record<string, string>>,
  play: (stage: Stage) => Promise<Result>,
  startDatabase?: StartDatabase,
): Promise<Result> {
  const sink = await Sink.start();
  try {
    const settings = {
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String(sink.port),
      SMTP_TLS: 'false',
      SMTP_FROM_EMAIL: 'vigie@vigie.example',
      ...environment,
    };
    const installation = await Installation.start(settings, startDatabase);
    try {
      return await play(new Stage(installation, sink));
    } finally {
      await installation.close();
    }
  } finally {
    await sink.close();
  }
}
