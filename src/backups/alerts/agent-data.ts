/** The agent and its place; the place is null if neither a job nor a report has named it. */
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
    /** The newest rejected report, and how many there were since the last announcement. */
    backup_report_rejected: AgentFacts & {
      report_id: string;
      /** Null if it arrived over REST. */
      file_name: string | null;
      /** The faults, one a line. */
      reason: string;
      received_at: string;
      rejected: number;
    };
    /** An agent whose reports for several databases are missing. */
    backup_agent_silent: AgentFacts & {
      since: string | null;
      /** All missing databases; `databases` lists up to 200 of them. */
      missing: number;
      databases: SilentDatabase[];
    };
    /** The agent has reported again, and none of its databases is missing. */
    backup_agent_back: AgentFacts & { silent_since: string };
  }
}
