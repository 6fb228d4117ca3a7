declare module '../contracts/kinds.js' {
  interface NotificationData {
    /**
     * A due reminder, with or without a ticket, or a request to notify the owner of a ticket now (without a
     * reminder).
     */
    reminder: {
      reminder_id: string | null;
      /** What the person who set it wants to read. */
      message: string | null;
      ticket_id: string | null;
      title: string | null;
      client_name: string | null;
      description: string | null;
      reference: string | null;
      amount_cents: number | null;
      currency: string | null;
      due_on: string | null;
    };
  }
}

/**
 * `NotificationData['reminder']` in SQL.
 * @param reminder expressions of its id and message
 * @param ticket alias of the ticket's row, all null without one
 */
export function reminderDataSql(reminder: { id: string; message: string }, ticket: string): string {
  const fields = [
    'title',
    'client_name',
    'description',
    'reference',
    'amount_cents',
    'currency',
    'due_on',
  ].map((field) => `'${field}', ${ticket}.${field}`);
  return `jsonb_build_object('reminder_id', ${reminder.id}, 'message', ${reminder.message},
    'ticket_id', ${ticket}.id, ${fields.join(', ')})`;
}
