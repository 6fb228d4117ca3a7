import { gzipSync } from 'node:zlib';
import type { AgentStatus, BackupVerdict } from '../../contracts/backups.js';
import { addDays, civilDate, instantAt } from '../../platform/clock/civil-time.js';
import type { SampleTenant } from './sample-data.js';

/** One backup of the night: the agent's report, the result, and the expected announcement. */
export interface SampleBackup {
  database_name: string;
  /** In the tenant's zone; null for an unexpected database. */
  expected_time: string | null;
  status: AgentStatus;
  /** The agent's error message. */
  error: string | null;
  /** How much of the file arrives. */
  arrives: 'whole' | 'half' | 'nothing';
  /** The agent reports the uncompressed size by mistake. */
  wrong_size: boolean;
  verdict: BackupVerdict;
  /** The board's text beside the verdict. */
  why: string;
}

/** A machine that makes backups, its place, and when it made them. */
export interface SampleAgent {
  agent_id: string;
  city: string;
  neighborhood: string | null;
  reported_time: string;
  over_rest: boolean;
  backups: SampleBackup[];
}

/** A company with three sites; its admin is in charge of its backups. */
export const NIGHT_TENANT: SampleTenant = {
  slug: 'fonderies-du-pilat',
  name: 'Fonderies du Pilat',
  kind: 'company',
  time_zone: 'Europe/Paris',
  locale: 'fr',
  users: [{ name: 'Service informatique', email: 'informatique@fonderies-du-pilat.example', role: 'admin' }],
};

const good = { status: 'success', error: null, arrives: 'whole', wrong_size: false, why: '' } as const;

export const NIGHT: readonly SampleAgent[] = [
  {
    agent_id: 'srv-lyon-01',
    city: 'Lyon',
    neighborhood: 'Gerland',
    reported_time: '02:41',
    over_rest: false,
    backups: [
      { ...good, database_name: 'paie', expected_time: '02:00', verdict: 'SUCCESS' },
      {
        ...good,
        database_name: 'compta',
        expected_time: '02:15',
        arrives: 'half',
        verdict: 'HASH_MISMATCH',
        why: 'hash_differs',
      },
      {
        ...good,
        database_name: 'crm',
        expected_time: '02:30',
        wrong_size: true,
        verdict: 'SUCCESS',
        why: 'size_differs',
      },
    ],
  },
  {
    agent_id: 'srv-saint-etienne-01',
    city: 'Saint-Étienne',
    neighborhood: null,
    reported_time: '01:52',
    over_rest: false,
    backups: [
      {
        ...good,
        database_name: 'production',
        expected_time: '01:15',
        status: 'failed',
        error: 'pg_dump: error: could not write to output file: No space left on device',
        arrives: 'nothing',
        verdict: 'FAILED',
        why: 'agent_failed',
      },
      {
        ...good,
        database_name: 'stocks',
        expected_time: '01:45',
        status: 'transfer_integrity_failed',
        error: 'rsync: connection unexpectedly closed (4194304 bytes received so far) [sender]',
        arrives: 'nothing',
        verdict: 'TRANSFER_INTEGRITY_FAILED',
        why: 'agent_transfer_failed',
      },
    ],
  },
  {
    agent_id: 'srv-grenoble-01',
    city: 'Grenoble',
    neighborhood: 'Europole',
    reported_time: '03:24',
    over_rest: true,
    backups: [
      { ...good, database_name: 'ged', expected_time: '03:00', verdict: 'SUCCESS' },
      {
        ...good,
        database_name: 'planning',
        expected_time: '03:15',
        arrives: 'nothing',
        verdict: 'MISSING',
        why: 'no_staged_file',
      },
      {
        ...good,
        database_name: 'planning_essai',
        expected_time: null,
        verdict: 'SUCCESS',
        why: 'nobody expects it',
      },
    ],
  },
];

/** The date, in the company's zone, of the latest night whose grace periods are over. */
export function lastNight(now: Date): string {
  const today = civilDate(now, NIGHT_TENANT.time_zone);
  return nightInstant(today, '06:00') <= now ? today : addDays(today, -1);
}

/** @param time HH:mm in the company's zone. */
export function nightInstant(night: string, time: string): Date {
  const instant = instantAt(night, time, NIGHT_TENANT.time_zone);
  if (instant === null) throw new Error(`there is no ${night}`);
  return instant;
}

/** An agent's dump of a database: the compressed file, and its uncompressed size. */
export function dumpOf(database: string, at: Date): { file: Buffer; size_before: number } {
  const rows = Array.from(
    { length: 60_000 },
    (_, row) => `${row + 1}\t${(row * 7919) % 10_007}\t${database}`,
  );
  const text = `-- PostgreSQL database dump of ${database}, ${at.toISOString()}\nCOPY lignes (id, montant, base) FROM stdin;\n${rows.join('\n')}\n\\.\n`;
  return { file: gzipSync(text), size_before: Buffer.byteLength(text) };
}
