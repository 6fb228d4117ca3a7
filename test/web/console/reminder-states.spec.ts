import { RequestError } from '../../../web/client/rest.js';
import {
  bodyOf,
  draftOf,
  earlier,
  faultsIn,
  newDraft,
  patchOf,
  type Reminder,
  withChannels,
} from '../../../web/console/reminders/reminder-draft.js';
import { RemindersState } from '../../../web/console/reminders/reminders-state.js';
import { fr } from '../../../web/words/console/reminders.js';

const REMINDER = {
  id: 'r1',
  message: null,
  ticket_id: null,
  frequency_days: 7,
  local_time: '09:00',
  starts_on: '2026-03-31',
  ends_after: null,
  channels: [
    { channel: 'sms', enabled: true },
    { channel: 'email', enabled: false },
  ],
  mode: 'all',
  active: true,
} as unknown as Reminder;

describe('N1: the form of a reminder', () => {
  it.each([
    [[], {}],
    [['message', 'frequency_days'], { message: 'W'.repeat(2_001), frequency_days: null }],
    // Characters, as the server counts them: not UTF-16 units.
    [[], { message: '𝔏'.repeat(2_000), frequency_days: 366, ends_after: 10_000 }],
    [['frequency_days', 'local_time', 'ends_after'], { frequency_days: 367, local_time: '9', ends_after: 0 }],
    [['frequency_days', 'channels'], { frequency_days: 1.5, channels: [] }],
  ])('N1: has the faults %j', (fields, changes) => {
    expect([...faultsIn({ ...newDraft(), ...changes }, fr).keys()]).toEqual(fields);
  });

  it('N1: leaves out fields that the server fills in, and sends an empty message as null', () => {
    expect(bodyOf({ ...newDraft('t1'), message: ' ' })).toEqual({
      message: null,
      ticket_id: 't1',
      frequency_days: 7,
      local_time: '09:00',
      ends_after: null,
      channels: [
        { channel: 'email', enabled: true },
        { channel: 'push', enabled: false },
        { channel: 'sms', enabled: false },
      ],
      mode: 'all',
    });
  });

  it('N1: a change sends only what differs; channels keep the order in which they are used', () => {
    const draft = draftOf(REMINDER);
    expect(draft.channels.map(({ channel }) => channel)).toEqual(['sms', 'email', 'push']);
    expect(patchOf(REMINDER, draft)).toEqual({});
    expect(patchOf(REMINDER, earlier(withChannels(draft, ['sms', 'email']), 1))).toEqual({
      channels: [
        { channel: 'email', enabled: true },
        { channel: 'sms', enabled: true },
        { channel: 'push', enabled: false },
      ],
    });
    expect(earlier(draft, 0)).toEqual(draft);
  });
});

describe('N1: the reminders of a person', () => {
  const other = { ...REMINDER, id: 'r2', ticket_id: 't1' };
  const stateWith = (asked: string[], ticketId: string | null, refuse: () => boolean = () => false) => {
    const ask =
      (method: string) =>
      (path: string, options: { body?: unknown } = {}) => {
        asked.push(`${method} ${path} ${JSON.stringify(options.body ?? null)}`);
        if (refuse()) return Promise.reject(new RequestError('network', null));
        if (method === 'patch') return Promise.resolve({ ...REMINDER, active: false });
        return Promise.resolve({ data: path.endsWith('tickets') ? [{ id: 't1' }] : [REMINDER, other] });
      };
    const api = { get: ask('get'), post: ask('post'), patch: ask('patch'), delete: ask('delete') };
    return new RemindersState(api as never, 'u1', ticketId, () => undefined);
  };

  it('N1: are paused and ended one by one; a failure keeps what is shown', async () => {
    const asked: string[] = [];
    let isAway = false;
    const state = stateWith(asked, null, () => isAway);
    await state.load();
    expect(state.reminders?.map(({ id }) => id)).toEqual(['r1', 'r2']);
    expect(state.ticketOf(other)).toEqual({ id: 't1' });
    asked.length = 0;
    await state.setActive(REMINDER, false);
    expect(asked).toEqual(['patch /api/v1/reminders/{id} {"active":false}']);
    expect(state.reminders?.map(({ active }) => active)).toEqual([false, true]);
    isAway = true;
    await expect(state.end(other)).rejects.toThrow();
    expect(state.reminders).toHaveLength(2);
    isAway = false;
    await state.end(other);
    expect(state.reminders).toHaveLength(1);
  });

  it('N1: on a ticket, only its own are listed', async () => {
    const state = stateWith([], 't1');
    await state.load();
    expect(state.reminders?.map(({ id }) => id)).toEqual(['r2']);
  });
});
