import type { ApiClient } from '../../client/api-client.js';
import type { components } from '../../client/api.js';
import type { Reminder, ReminderFields } from './reminder-draft.js';

export type Ticket = components['schemas']['Ticket'];

/** A person has at most 100. */
const MAX_REMINDERS = 100;
/** More tickets of one person are not offered for a choice. */
const MAX_TICKETS = 200;

/** The reminders of a person, or those of one ticket. No DOM. */
export class RemindersState {
  /** Null: not loaded yet. */
  reminders: readonly Reminder[] | null = null;
  /** Of the person, also settled ones. */
  tickets: readonly Ticket[] = [];
  fault: unknown = null;

  constructor(
    private readonly api: Pick<ApiClient, 'get' | 'post' | 'patch' | 'delete'>,
    readonly userId: string,
    /** Null: of all tickets and of none. */
    readonly ticketId: string | null,
    private readonly onChange: () => void,
  ) {}

  async load(): Promise<void> {
    const { api, userId, ticketId } = this;
    try {
      const [reminders, tickets] = await Promise.all([
        api.get('/api/v1/users/{id}/reminders', {
          params: { path: { id: userId }, query: { limit: MAX_REMINDERS } },
        }),
        api.get('/api/v1/tickets', { params: { query: { responsible_id: userId, limit: MAX_TICKETS } } }),
      ]);
      const isShown = (reminder: Reminder) => ticketId === null || reminder.ticket_id === ticketId;
      Object.assign(this, {
        reminders: reminders.data.filter(isShown),
        tickets: tickets.data,
        fault: null,
      });
    } catch (error) {
      this.fault = error;
    }
    this.onChange();
  }

  /** Pauses or resumes it; an ended one starts again, counting from 0. @throws RequestError */
  async setActive({ id }: Reminder, active: boolean): Promise<void> {
    this.replace(await this.change(id, { active }));
  }

  /** @param reminder null: a new one. @throws RequestError */
  async save(reminder: Reminder | null, body: ReminderFields): Promise<Reminder> {
    return reminder === null
      ? this.api.post('/api/v1/users/{id}/reminders', { params: { path: { id: this.userId } }, body })
      : this.change(reminder.id, body);
  }

  /** Deletes it, for good. @throws RequestError */
  async end({ id }: Reminder): Promise<void> {
    await this.api.delete('/api/v1/reminders/{id}', { params: { path: { id } } });
    this.reminders = this.reminders?.filter((one) => one.id !== id) ?? null;
    this.onChange();
  }

  /** The title of its ticket; null: it has none, or the ticket is not this person's any more. */
  ticketOf({ ticket_id }: Reminder): Ticket | null {
    return this.tickets.find(({ id }) => id === ticket_id) ?? null;
  }

  private change(id: string, body: ReminderFields): Promise<Reminder> {
    return this.api.patch('/api/v1/reminders/{id}', { params: { path: { id } }, body });
  }

  private replace(reminder: Reminder): void {
    this.reminders = this.reminders?.map((one) => (one.id === reminder.id ? reminder : one)) ?? null;
    this.onChange();
  }
}
