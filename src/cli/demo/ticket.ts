import { addDays, civilDate } from '../../platform/clock/civil-time.js';
import type { MailCatcher } from './mail-catcher.js';
import type { Report } from './report.js';
import { SAMPLE_TICKET } from './sample-data.js';
import type { DemoTenant, DemoUser } from './tenant.js';
import { until } from './until.js';

const MINUTE_MS = 60_000;
const WITHIN_MS = 20_000;

/** A ticket whose owner has asked for a reminder. */
export interface DemoTicket {
  tenant: DemoTenant;
  owner: DemoUser;
  ticket_id: string;
  reminder_id: string;
  next_at: Date;
}

/**
 * The admin adapts the wording of reminders and enters a ticket; its owner sets a reminder for the next full
 * minute.
 */
export async function enterTicket(tenant: DemoTenant): Promise<DemoTicket> {
  const { admin, sample } = tenant;
  const owner = tenant.users.find((user) => user !== admin) ?? admin;
  await admin.api.call('PUT', `tenant/templates/reminder/${sample.locale}`, {
    title: SAMPLE_TICKET.template,
  });
  const today = civilDate(new Date(), sample.time_zone);
  const { id: ticket_id } = await admin.api.call<{ id: string }>('POST', 'tickets', {
    ...SAMPLE_TICKET.fields,
    due_on: addDays(today, 12),
    responsible_id: owner.id,
  });
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone: sample.time_zone, timeStyle: 'short' });
  const reminder = await owner.api.call<{ id: string; next_at: string }>(
    'POST',
    `users/${owner.id}/reminders`,
    {
      ticket_id,
      frequency_days: 7,
      channels: ['email'],
      local_time: clock.format(Date.now() + MINUTE_MS),
    },
  );
  return { tenant, owner, ticket_id, reminder_id: reminder.id, next_at: new Date(reminder.next_at) };
}

/** The reminder arrives in the tenant's own words, and ends when the ticket is settled. */
export async function showReminder(
  { tenant: { admin }, owner, ticket_id, reminder_id, next_at }: DemoTicket,
  { catcher, report }: { catcher: MailCatcher; report: Report },
): Promise<void> {
  report.step(`Reminding ${owner.email} of a ticket, in words that the tenant has adapted`);
  await until('the reminder to be due', () => Date.now() >= next_at.getTime(), 2 * MINUTE_MS);
  await admin.api.call('POST', 'reminders/process');
  const isReminder = ({ to, subject }: { to: string[]; subject: string }) =>
    to.includes(owner.email) && subject.includes(SAMPLE_TICKET.fields.title);
  await catcher.waitFor(isReminder, WITHIN_MS).catch(() => undefined);
  const mails = catcher.mails.filter(isReminder);
  report.expect('mails', mails.length, 1);
  report.expect('its subject', mails[0]?.subject, SAMPLE_TICKET.subject);
  await admin.api.call('POST', `tickets/${ticket_id}/settle`);
  const { end_reason } = await owner.api.call<{ end_reason: string }>('GET', `reminders/${reminder_id}`);
  report.expect('the reminder, after the ticket was settled', end_reason, 'ticket_settled');
}
