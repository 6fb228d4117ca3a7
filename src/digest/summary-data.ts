/** A line of the weekly summary. */
export interface SummaryLine {
  /** The item's id. */
  id: string;
  list: 'deadlines' | 'documents' | 'tasks';
  title: string;
  /** Civil date (YYYY-MM-DD). */
  due_on: string;
  /** `unassigned`: nobody is responsible, and the reader is an admin. */
  audience: 'responsible' | 'unassigned';
}

/** The lines of one client, the earliest first; null for lines without a client. */
export interface SummaryGroup {
  client_name: string | null;
  lines: SummaryLine[];
}

declare module '../contracts/kinds.js' {
  interface NotificationData {
    weekly_summary: {
      /** The listed civil dates: from its day to seven days later. Earlier ones are `late`. */
      period: { from: string; to: string };
      /** By client: the longest delay first. */
      late: SummaryGroup[];
      /** By client: the nearest date first. */
      upcoming: SummaryGroup[];
      /** The full counts; `late` and `upcoming` are truncated to 30 lines each. */
      totals: { deadlines: number; documents: number; tasks: number; late: number; upcoming: number };
    };
  }
}
