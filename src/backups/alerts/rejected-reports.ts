import { Inject, Injectable } from '@nestjs/common';
import { Incidents } from '../../notifications/alerts/incidents.js';
import { Clock } from '../../platform/clock/clock.js';
import { Database } from '../../platform/database/database.js';
import type { TenantTransaction } from '../../platform/database/transaction.js';
import { tenantToday } from '../../tenants/tenant-today.js';
import type { AgentFacts } from './agent-data.js';
import { agentSourceSql, placeOfAgentSql } from './agents.sql.js';

/** `source_type` of an agent whose reports are rejected. */
const AGENT_REPORTS = 'backup_agent_reports';
const HOUR_MS = 3_600_000;
/** Agents of one transaction. */
const MAX_AGENTS = 200;

interface Rejected extends AgentFacts {
  source_id: string;
  report_id: string;
  file_name: string | null;
  reason: string;
  received_at: string;
  rejected: number;
}

/**
 * Announces rejected reports at once: one incident per agent, which its next good report resolves. Without it, people
 * would notice only when a grace period ends, and never for an agent without a job.
 */
@Injectable()
export class RejectedReports {
  constructor(
    private readonly database: Database,
    private readonly incidents: Incidents,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** @returns how many agents' reports were announced; the next call announces the rest. */
  async announce(tenantId: string): Promise<{ rejections_announced: number }> {
    const { settings } = await tenantToday(this.database.single(tenantId), this.clock.now());
    const repeat_after_ms = settings.backups.repeat_after_hours * HOUR_MS;
    return this.database.tenant(tenantId, async (tx) => {
      await this.endAnswered(tx);
      const rejected = await tx.query<Rejected>(REJECTED, [tenantId, MAX_AGENTS]);
      if (rejected.length === 0) return { rejections_announced: 0 };
      await tx.execute(MARK, [
        tenantId,
        rejected.map(({ agent_id }) => agent_id),
        rejected.map(({ report_id }) => report_id),
        this.clock.now(),
      ]);
      await this.incidents.raise(
        tx,
        rejected.map(({ source_id, ...data }) => ({
          kind: 'backup_report_rejected' as const,
          source_type: AGENT_REPORTS,
          source_id,
          dedupe_key: `backup-agent:${data.agent_id}:rejected`,
          severity: 'critical' as const,
          data,
          repeat_after_ms,
        })),
      );
      return { rejections_announced: rejected.length };
    });
  }

  private async endAnswered(tx: TenantTransaction): Promise<void> {
    const answered = await tx.query<{ source_id: string }>(ANSWERED, [tx.tenant_id]);
    await this.incidents.end(
      tx,
      AGENT_REPORTS,
      answered.map(({ source_id }) => source_id),
    );
  }
}

/** The newest of each agent. Parameters: $1 tenant id, $2 limit. Index: backup_reports_unannounced. */
const REJECTED = `
  SELECT n.agent_id, n.id AS report_id, n.file_name, n.reason, n.rejected::int,
         to_char(n.received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS received_at,
         ${agentSourceSql('n.agent_id')} AS source_id, place.company_name, place.city
  FROM (
    SELECT DISTINCT ON (agent_id) *, count(*) OVER (PARTITION BY agent_id) AS rejected FROM backup_reports
    WHERE tenant_id = $1 AND state = 'rejected' AND announced_at IS NULL
    ORDER BY agent_id, id DESC LIMIT $2
  ) n
  ${placeOfAgentSql('n.agent_id')}
  ORDER BY n.agent_id`;

/** Parameters: $1 tenant id, $2 agents, $3 the newest report of each, $4 now. */
const MARK = `
  UPDATE backup_reports r SET announced_at = $4
  FROM unnest($2::text[], $3::uuid[]) AS newest (agent_id, id)
  WHERE r.tenant_id = $1 AND r.agent_id = newest.agent_id AND r.id <= newest.id AND r.state = 'rejected'
    AND r.announced_at IS NULL`;

/** Agents that have sent a good report since. Ids grow with time. Parameters: $1 tenant id. */
const ANSWERED = `
  SELECT a.source_id FROM alerts a
  WHERE a.tenant_id = $1 AND a.kind = 'backup_report_rejected' AND a.gone_at IS NULL
    AND EXISTS (SELECT FROM backup_reports r
                WHERE r.tenant_id = $1 AND r.agent_id = a.data ->> 'agent_id' AND r.state = 'accepted'
                  AND r.id > (a.data ->> 'report_id')::uuid)`;
