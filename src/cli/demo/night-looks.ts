import { type Agent, hashesBelow } from './agent.js';
import type { NightStage } from './night-stage.js';
import type { SampleAgent } from './sample-night.js';
import { until } from './until.js';

/** The board's fields that the demo reads. */
interface BoardRow {
  agent_id: string;
  database_name: string;
  expected: boolean;
  verdict: string;
  incidents: unknown[];
  results: { reason: string | null; warnings: string[] }[];
}

const ARRIVES_WITHIN_MS = 30_000;

/** Reads the board like a person, and compares each line with the expected night. */
export async function lookAtBoard(
  { tenant, report }: NightStage,
  agents: readonly SampleAgent[],
): Promise<void> {
  const { api } = tenant.admin;
  const board = await api.call<{ data: BoardRow[] }>('GET', 'backups/status?limit=50');
  for (const { agent_id, city, backups } of agents) {
    for (const { database_name, verdict, why } of backups) {
      const row = board.data.find((one) => one.agent_id === agent_id && one.database_name === database_name);
      report.row(
        [agent_id.padEnd(20), city.padEnd(13), database_name.padEnd(14)],
        row && standingOf(row),
        why === '' ? verdict : `${verdict} (${why})`,
      );
    }
  }
}

function standingOf({ verdict, expected, incidents, results }: BoardRow): string {
  const notes = [
    ...results.slice(0, 1).flatMap(({ reason, warnings }) => reason ?? warnings),
    ...(expected ? [] : ['nobody expects it']),
    ...(verdict === 'SUCCESS' && incidents.length > 0 ? ['still an incident'] : []),
  ];
  return notes.length === 0 ? verdict : `${verdict} (${notes.join(', ')})`;
}

/** @param wanted SHA-256 of the expected files in the store, and the expected number of files in the other folders. */
export async function lookAtFiles(
  { folders, report }: NightStage,
  agents: readonly Agent[],
  wanted: { good: readonly string[]; quarantined: number; archived: number },
): Promise<void> {
  const count = async (...names: Parameters<Agent['files']>[0][]) =>
    (await Promise.all(agents.flatMap((agent) => names.map((name) => agent.files(name))))).flat().length;
  const stored = await hashesBelow(folders.store);
  report.expect('files in the store', stored.length, wanted.good.length);
  report.expect(
    'of these, with the SHA-256 that its agent had computed',
    stored.filter((hash) => wanted.good.includes(hash)).length,
    wanted.good.length,
  );
  report.expect('files in quarantine', await count('quarantine'), wanted.quarantined);
  report.expect('reports in the archive', await count('archive'), wanted.archived);
  report.expect('files left in the inbox for a later scan', await count('log', 'database'), 0);
}

/** Expects these mails to the admin, and no others. */
export async function lookAtMails(
  { catcher, report, tenant }: NightStage,
  before: number,
  subjects: readonly string[],
): Promise<void> {
  const mails = await catcher.waitFor(before + subjects.length, ARRIVES_WITHIN_MS).catch(() => catcher.mails);
  const arrived = mails.slice(before);
  for (const wanted of subjects) {
    const found = arrived.filter(({ subject, to }) => subject === wanted && to.includes(tenant.admin.email));
    report.expect(`mail “${wanted}”`, found.length, 1);
  }
  report.expect(`mails to ${tenant.admin.email} and to anyone else`, arrived.length, subjects.length);
}

/** Expects nothing else in the admin's feed: a good backup is not announced. */
export async function lookAtNotifications(
  { tenant, listener, report }: NightStage,
  wanted: number,
): Promise<void> {
  const { data } = await tenant.admin.api.call<{ data: { kind: string }[] }>('GET', 'notifications?limit=50');
  report.expect(
    'notifications of backups',
    data.filter(({ kind }) => kind.startsWith('backup_')).length,
    wanted,
  );
  await until('live', () => listener.created.length >= wanted, ARRIVES_WITHIN_MS).catch(() => undefined);
  report.live([{ ...listener, created: listener.created.slice(-1) }]);
  report.expect('the same, received live over a socket', listener.created.length, wanted);
}
