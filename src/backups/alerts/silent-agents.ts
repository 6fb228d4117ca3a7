import { Injectable } from '@nestjs/common';
import type { BackupReason } from '../../contracts/backups.js';
import { type Incident, Incidents } from '../../notifications/alerts/incidents.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import type { AgentFacts, SilentDatabase } from './agent-data.js';
import { agentSourceSql } from './agents.sql.js';
import type { BackupFacts } from './backup-data.js';

/** `source_type` of a silent agent. */
export const BACKUP_AGENT = 'backup_agent';
/** With this many missing databases the agent is announced; with fewer, each database is. */
const MIN_DATABASES = 4;
/** Databases listed in an announcement. */
const MAX_LISTED = 200;

type JobFacts = BackupFacts & { job_id: string };

interface SeenAgent extends AgentFacts {
  source_id: string;
  /** When its incident opened; null if it has none. */
  open_since: string | null;
  since: string | null;
  missing: number;
  databases: SilentDatabase[];
}

/** How the agents' incidents affect some jobs. */
export interface AgentOutcome {
  /** Facts of jobs that no agent's incident covers. */
  others: JobFacts[];
  alerts: number;
  recovered: number;
}

/**
 * One incident for a silent agent, instead of one for each of its databases: an agent that is down misses them all.
 * A database whose own incident stands keeps it, and the agent's lists it, too. Where the agent's reports are rejected,
 * the alert of that stands for the databases that are missing because of it.
 */
@Injectable()
export class SilentAgents {
  constructor(private readonly incidents: Incidents) {}

  /**
   * Raises and resolves the incidents of the agents of these jobs. @param facts of entries that are not announced yet
   */
  async announce(tx: TenantTransaction, facts: readonly JobFacts[], repeat: number): Promise<AgentOutcome> {
    const agents = await this.agentsOf(tx, facts);
    const silent = agents.filter(({ missing, open_since }) => isSilent(missing, open_since));
    const raised = await this.incidents.raise(tx, incidentsOf(silent, repeat));
    const back = agents.filter(({ missing, open_since }) => open_since !== null && missing === 0);
    await this.end(tx, back);
    const covered = new Set(silent.map(({ agent_id }) => agent_id));
    const own = new Set(await ownIncidents(tx, facts));
    const rejected = new Set(await rejectedAgents(tx, facts));
    const isCovered = (one: JobFacts) =>
      (covered.has(one.agent_id) || (one.reason === 'report_rejected' && rejected.has(one.agent_id))) &&
      !own.has(one.job_id);
    return {
      others: facts.filter((one) => !isMissing(one) || !isCovered(one)),
      alerts: raised.filter(({ opened, notified }) => opened || notified > 0).length,
      recovered: back.length,
    };
  }

  /** Repeats the alerts of agents that are still silent. @returns how many reached somebody */
  async remind(tx: TenantTransaction, facts: readonly JobFacts[], repeat: number): Promise<number> {
    const agents = await this.agentsOf(tx, facts.filter(isMissing));
    const silent = agents.filter(({ missing, open_since }) => open_since !== null && missing > 0);
    return this.incidents.remind(tx, incidentsOf(silent, repeat));
  }

  private async agentsOf(tx: TenantTransaction, facts: readonly JobFacts[]): Promise<SeenAgent[]> {
    const agents = [...new Set(facts.map(({ agent_id }) => agent_id))].sort();
    if (agents.length === 0) return [];
    return tx.query<SeenAgent>(AGENTS, [tx.tenant_id, agents, MAX_LISTED, REASONS]);
  }

  private async end(tx: TenantTransaction, agents: readonly SeenAgent[]): Promise<void> {
    await this.incidents.end(
      tx,
      BACKUP_AGENT,
      agents.map(({ source_id }) => source_id),
    );
    await this.incidents.announce(
      tx,
      agents.map(({ agent_id, company_name, city, open_since }) => ({
        kind: 'backup_agent_back' as const,
        dedupe_key: `backup-agent-back:${agent_id}:${open_since}`,
        severity: 'info' as const,
        data: { agent_id, company_name, city, silent_since: open_since ?? '' },
      })),
    );
  }
}

/** Reasons for which all databases of an agent are missing at once. */
const REASONS: readonly (BackupReason | null)[] = ['no_report', 'report_rejected'];

function isMissing({ verdict, reason }: JobFacts): boolean {
  return verdict === 'MISSING' && REASONS.includes(reason);
}

function isSilent(missing: number, openSince: string | null): boolean {
  return openSince === null ? missing >= MIN_DATABASES : missing > 0;
}

function incidentsOf(
  agents: readonly SeenAgent[],
  repeat_after_ms: number,
): Incident<'backup_agent_silent'>[] {
  return agents.map(({ source_id, open_since: _open, ...data }) => ({
    kind: 'backup_agent_silent',
    source_type: BACKUP_AGENT,
    source_id,
    dedupe_key: `backup-agent:${data.agent_id}:MISSING`,
    severity: 'critical',
    data,
    repeat_after_ms,
  }));
}

/** The jobs that have their own incident for a missing backup. */
async function ownIncidents(tx: TenantTransaction, facts: readonly JobFacts[]): Promise<string[]> {
  const jobs = facts.filter(isMissing).map(({ job_id }) => job_id);
  if (jobs.length === 0) return [];
  const rows = await tx.query<{ source_id: string }>(
    `SELECT source_id FROM alerts
     WHERE tenant_id = $1 AND source_type = 'backup_job' AND source_id = ANY ($2::uuid[]) AND gone_at IS NULL
       AND dedupe_key = 'backup:' || source_id || ':MISSING'`,
    [tx.tenant_id, jobs],
  );
  return rows.map(({ source_id }) => source_id);
}

/** Those of the jobs' agents whose alert of a rejected report stands. */
async function rejectedAgents(tx: TenantTransaction, facts: readonly JobFacts[]): Promise<string[]> {
  const keys = facts.filter(isMissing).map(({ agent_id }) => `backup-agent:${agent_id}:rejected`);
  if (keys.length === 0) return [];
  const rows = await tx.query<{ agent_id: string }>(
    `SELECT data ->> 'agent_id' AS agent_id FROM alerts
     WHERE tenant_id = $1 AND dedupe_key = ANY ($2) AND gone_at IS NULL AND state <> 'resolved'`,
    [tx.tenant_id, [...new Set(keys)]],
  );
  return rows.map(({ agent_id }) => agent_id);
}

const instant = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** What is missing of agents. Parameters: $1 tenant id, $2 agents, $3 how many databases are listed, $4 reasons. */
const AGENTS = `
  WITH missing AS (
    SELECT j.agent_id, j.id AS job_id, j.database_name, j.company_name, j.city, j.status_since, j.last_success_at,
           newest.expected_at, row_number() OVER (PARTITION BY j.agent_id ORDER BY j.database_name) AS place
    FROM backup_jobs j
    CROSS JOIN LATERAL (
      SELECT e.reason, e.expected_at FROM backup_entries e
      WHERE e.tenant_id = $1 AND e.agent_id = j.agent_id AND e.database_name = j.database_name AND e.job_id = j.id
        AND e.verdict IS NOT NULL
      ORDER BY e.effective_at DESC, e.id DESC LIMIT 1
    ) newest
    WHERE j.tenant_id = $1 AND j.agent_id = ANY ($2) AND j.status = 'MISSING' AND newest.reason = ANY ($4)
  )
  SELECT n.agent_id, ${agentSourceSql('n.agent_id')} AS source_id,
         (SELECT coalesce(a.data ->> 'since', ${instant('a.first_seen_at')}) FROM alerts a
          WHERE a.tenant_id = $1 AND a.dedupe_key = 'backup-agent:' || n.agent_id || ':MISSING'
            AND a.gone_at IS NULL) AS open_since,
         (SELECT min(j.company_name) FROM backup_jobs j
          WHERE j.tenant_id = $1 AND j.agent_id = n.agent_id) AS company_name,
         (SELECT min(j.city) FROM backup_jobs j WHERE j.tenant_id = $1 AND j.agent_id = n.agent_id) AS city,
         ${instant('min(m.status_since)')} AS since, count(m.job_id)::int AS missing,
         coalesce(jsonb_agg(jsonb_build_object('job_id', m.job_id, 'database_name', m.database_name,
                                               'expected_at', ${instant('m.expected_at')},
                                               'last_success_at', ${instant('m.last_success_at')})
                            ORDER BY m.database_name) FILTER (WHERE m.place <= $3), '[]') AS databases
  FROM unnest($2::text[]) AS n (agent_id) LEFT JOIN missing m USING (agent_id)
  GROUP BY n.agent_id ORDER BY n.agent_id`;
