/** Which agent it is, and where; the place is null where no job and no report has named it. */
export interface AgentFacts {
  agent_id: string;
  company_name: string | null;
  city: string | null;
}

/** A database of a silent agent. Instants are ISO 8601 in UTC. */
export interface SilentDatabase {
  job_id: string;
  database_name: string;
  expected_at: string | null;
  last_success_at: string | null;
}

declare module '../../contracts/kinds.js' {
  interface NotificationData {
    /** The newest report that was rejected, and how many were since the last announcement. */
    backup_report_rejected: AgentFacts & {
      report_id: string;
      /** Null where it came over REST. */
      file_name: string | null;
      /** The faults, one a line. */
      reason: string;
      received_at: string;
      rejected: number;
    };
    /** An agent of which nothing has come for several databases. */
    backup_agent_silent: AgentFacts & {
      since: string | null;
      /** Databases in all; `databases` has up to 200 of them. */
      missing: number;
      databases: SilentDatabase[];
    };
    /** The agent has reported again, and none of its databases is missing. */
    backup_agent_back: AgentFacts & { silent_since: string };
  }
}
