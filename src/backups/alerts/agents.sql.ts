/** The id of an agent as the source of alerts, as an SQL expression: agents have no rows of their own. */
export function agentSourceSql(agentId: string): string {
  return `md5('backup_agent:' || ${agentId})::uuid`;
}

/** Joins `place (company_name, city)`: of a job of the agent, or else of one of its reports. $1 is the tenant's id. */
export function placeOfAgentSql(agentId: string): string {
  return `
  LEFT JOIN LATERAL (
    SELECT company_name, city FROM (
      (SELECT 1 AS place, company_name, city FROM backup_jobs
       WHERE tenant_id = $1 AND agent_id = ${agentId} LIMIT 1)
      UNION ALL
      (SELECT 2, company_name, city FROM backup_entries WHERE tenant_id = $1 AND agent_id = ${agentId} LIMIT 1)
    ) known ORDER BY place LIMIT 1
  ) place ON true`;
}
