/** A line of the weekly summary. */
export interface SummaryLine {
  /** Of the item. */
  id: string;
  list: 'deadlines' | 'documents' | 'tasks';
  title: string;
  /** Civil date (YYYY-MM-DD). */
  due_on: string;
  /** `unassigned`: nobody is responsible, and the reader is an admin. */
  audience: 'responsible' | 'unassigned';
}

/** The lines of one client, the earliest first; null: those without one. */
export interface SummaryGroup {
  client_name: string | null;
  lines: SummaryLine[];
}

declare module '../contracts/kinds.js' {
  interface NotificationData {
    weekly_summary: {
      /** The civil dates that it lists: from its day to seven days later. What was due before is `late`. */
      period: { from: string; to: string };
      /** By client: the one with the longest delay first. */
      late: SummaryGroup[];
      /** By client: the one whose date is nearest first. */
      upcoming: SummaryGroup[];
      /** All there are; `late` and `upcoming` are cut at 30 lines each. */
      totals: { deadlines: number; documents: number; tasks: number; late: number; upcoming: number };
    };
  }
}
