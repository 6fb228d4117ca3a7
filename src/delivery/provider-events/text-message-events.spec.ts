import { addPerson, addTenant, type Person } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { type LocalProvider, startProvider } from '../channels/provider.fixture.js';
import { StepwiseDelivery } from '../dispatch/bundling.fixture.js';
import { genericCall, HOOKS_ENV, NOW, post, PUBLIC_URL, TOKENS, twilioCall } from './hooks.fixture.js';

/** V18, N6: receipts and replies of text messages. */
const clock = new FixedClock(NOW);
let world: World;
let twilio: LocalProvider;
let way: StepwiseDelivery;
let admin: Person;
let sids = 0;
let numbers = 0;

beforeAll(async () => {
  twilio = await startProvider(() => ({ status: 201, body: { sid: `SM${(sids += 1)}`, status: 'queued' } }));
  world = await createWorld({ clock, env: { ...HOOKS_ENV, TWILIO_API_URL: twilio.url } });
  way = new StepwiseDelivery(world, 'sms');
  await world.sql(`INSERT INTO workers VALUES (gen_random_uuid(), 'sms', 50, now() + interval '1 day')`);
});
afterAll(async () => {
  await world.close();
  await twilio.close();
});
beforeEach(async () => {
  const tenant = await addTenant(world);
  admin = await addPerson(world, tenant.id, { name: `Admin${numbers}`, role: 'admin' });
});

const newNumber = () => `+336120${String((numbers += 1)).padStart(5, '0')}`;

interface Delivery {
  id: string;
  state: string;
  reason: string | null;
  provider_id: string | null;
  delivered_at: string | null;
  provider_events: { event: string; bounce: string | null; detail: string | null }[];
}
const message = async (to: string, person = admin, expected = 202) => {
  const answer = await world.http('POST', '/api/v1/notifications', {
    token: person.token,
    body: { channel: 'sms', to, body: 'Votre dossier est prêt' },
  });
  expect([answer.status, answer.body]).toEqual([expected, expect.anything()]);
  return (answer.body as { notifications: { deliveries: Delivery[] }[] }).notifications[0]!.deliveries[0]!;
};
const shown = async ({ id }: { id: string }, person = admin) => {
  const { body } = await world.http('GET', `/api/v1/deliveries/${id}`, { token: person.token });
  return body as Delivery;
};
/** Sends a text message. @returns its delivery, with Twilio's id */
const send = async (to: string, person = admin) => {
  const delivery = await message(to, person);
  await way.leave();
  return shown(delivery, person);
};
const stopped = async (person = admin) => {
  const { body } = await world.http('GET', '/api/v1/tenant/stopped-addresses?channel=sms', {
    token: person.token,
  });
  return (body as { data: { id: string; address: string; reason: string; provider: string | null }[] }).data;
};
const status = (sid: string | null, to: string, fields: Record<string, string>) =>
  twilioCall({
    AccountSid: 'AC0123',
    From: '+33644601234',
    To: to,
    MessageSid: sid ?? '',
    SmsSid: sid ?? '',
    ApiVersion: '2010-04-01',
    ...fields,
  });
const reply = (from: string, fields: Record<string, string>) =>
  twilioCall({
    ToCountry: 'FR',
    AccountSid: 'AC0123',
    MessageSid: `SMreply${(sids += 1)}`,
    SmsStatus: 'received',
    NumMedia: '0',
    From: from,
    To: '+33644601234',
    ...fields,
  });
const notices = () =>
  world.sql(`SELECT data FROM notifications WHERE kind = 'address_stopped' AND user_id = $1`, [admin.id]);

it('V18: Twilio is asked to report to the hook, and its receipt is shown on the delivery', async () => {
  const to = newNumber();
  const delivery = await send(to);
  const asked = new URLSearchParams(twilio.received.at(-1)!.body).get('StatusCallback');
  expect(asked).toBe(`${PUBLIC_URL}/hooks/twilio/${TOKENS.twilio}`);
  await post(world, status(delivery.provider_id, to, { MessageStatus: 'sent' }));
  const answer = await post(world, status(delivery.provider_id, to, { MessageStatus: 'delivered' }));
  expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/xml; charset=utf-8']);
  expect(answer.text).toBe('<?xml version="1.0" encoding="UTF-8"?><Response/>');
  expect(await shown(delivery)).toMatchObject({
    state: 'sent',
    delivered_at: NOW,
    provider_events: [{ event: 'delivered', bounce: null }],
  });
});

it('V18: Twilio signs its URL with or without the standard port', async () => {
  const to = newNumber();
  const { provider_id } = await send(to);
  const withPort = `https://vigie.cabinet.example:443/hooks/twilio/${TOKENS.twilio}`;
  const fields = { MessageSid: provider_id ?? '', To: to, MessageStatus: 'delivered' };
  expect((await post(world, twilioCall(fields, withPort))).status).toBe(200);
  const path = `/hooks/twilio/${TOKENS.twilio}?from=console`;
  expect((await post(world, twilioCall(fields, `${PUBLIC_URL}${path}`), path)).status).toBe(200);
  expect((await post(world, twilioCall(fields), path)).status).toBe(403);
});

test.each([
  ['30005', 'bounced', 'hard', 'hard_bounce'],
  ['30006', 'bounced', 'hard', 'hard_bounce'],
  ['21610', 'stopped', null, 'stop'],
  ['30003', 'bounced', 'soft', null],
  ['30007', 'failed', null, null],
])('V18: an undelivered text message, error %s: %s %s', async (code, event, bounce, reason) => {
  const to = newNumber();
  const delivery = await send(to);
  const call = status(delivery.provider_id, to, { MessageStatus: 'undelivered', ErrorCode: code });
  await post(world, call);
  expect((await shown(delivery)).provider_events).toEqual([
    expect.objectContaining({ event, bounce, detail: code }),
  ]);
  expect((await stopped()).map(({ reason: why }) => why)).toEqual(reason === null ? [] : [reason]);
});

it('V18: STOP stops the number, not the person, in every tenant that has sent to it; START frees it', async () => {
  const to = newNumber();
  const elsewhere = await addTenant(world);
  const outsider = await addPerson(world, elsewhere.id, { name: `Outsider${numbers}`, role: 'admin' });
  const delivery = await send(to);
  await send(to, outsider);
  const waiting = await message(to);
  const stop = reply(to, { Body: ' Stop. ' });
  expect((await post(world, stop)).status).toBe(200);
  for (const person of [admin, outsider])
    expect(await stopped(person)).toEqual([
      expect.objectContaining({ address: to, reason: 'stop', provider: 'twilio' }),
    ]);
  expect((await shown(delivery)).provider_events).toMatchObject([{ event: 'stopped' }]);
  expect(await shown(waiting)).toMatchObject({ state: 'suppressed', reason: 'address_stopped' });
  expect(await message(to, admin, 200)).toMatchObject({ state: 'suppressed', reason: 'address_stopped' });
  expect(await notices()).toHaveLength(1);

  const start = reply(to, { Body: 'START' });
  await post(world, start);
  expect([await stopped(), await stopped(outsider)]).toEqual([[], []]);
  expect((await send(to)).state).toBe('sent');

  // A replayed START frees nothing, a replayed STOP stops nothing.
  await post(world, stop);
  expect(await stopped()).toEqual([]);
  await post(world, reply(to, { Body: 'Arrêt' }));
  await post(world, start);
  expect(await stopped()).toHaveLength(1);
});

test.each([
  ['Stop texting me', 0],
  ['J’arrête demain', 0],
  ['STOPALL', 1],
  ['unsubscribe', 1],
  ['ARRÊT', 1],
  ['', 0],
])('V18: the reply %p stops %i number', async (Body, expected) => {
  const to = newNumber();
  await send(to);
  await post(world, reply(to, { Body }));
  expect(await stopped()).toHaveLength(expected);
});

it('V18: uses the meaning of a reply that Twilio’s Advanced Opt-Out reports', async () => {
  const to = newNumber();
  await send(to);
  await post(world, reply(to, { Body: 'plus jamais', OptOutType: 'STOP' }));
  expect(await stopped()).toHaveLength(1);
  await post(world, reply(to, { Body: 'START', OptOutType: 'HELP' }));
  expect(await stopped()).toHaveLength(1);
});

it('V18: START does not free a number that does not exist', async () => {
  const to = newNumber();
  const { provider_id } = await send(to);
  await post(world, status(provider_id, to, { MessageStatus: 'undelivered', ErrorCode: '30005' }));
  await post(world, reply(to, { Body: 'START' }));
  expect(await stopped()).toMatchObject([{ reason: 'hard_bounce' }]);
});

it('V18: a refusal with 21610 stops the number, and an admin is notified', async () => {
  const to = newNumber();
  const delivery = await message(to);
  twilio.answer({ status: 400, body: { code: 21610, message: 'Attempt to send to unsubscribed recipient' } });
  await way.leave();
  expect(await shown(delivery)).toMatchObject({ state: 'failed' });
  expect(await stopped()).toEqual([
    expect.objectContaining({ address: to, reason: 'stop', provider: null, delivery_id: delivery.id }),
  ]);
  expect(await notices()).toHaveLength(1);
  const before = twilio.received.length;
  expect(await message(to, admin, 200)).toMatchObject({ reason: 'address_stopped' });
  await way.leave();
  expect(twilio.received).toHaveLength(before);
});

it('V18: another program reports STOP and START of a number in our own format', async () => {
  const to = newNumber();
  await send(to);
  await post(world, genericCall([{ id: `stop${to}`, event: 'stopped', channel: 'sms', address: to }]));
  expect(await stopped()).toHaveLength(1);
  await post(world, genericCall([{ id: `start${to}`, event: 'started', channel: 'sms', address: to }]));
  expect(await stopped()).toEqual([]);
});

it('V18: a receipt that overtakes the answer to its message is found a second later', async () => {
  const to = newNumber();
  const delivery = await message(to);
  await way.admit();
  const early = post(world, status(`SM${sids + 1}`, to, { MessageStatus: 'delivered' }));
  await way.send();
  expect((await early).status).toBe(200);
  expect((await shown(delivery)).provider_events).toMatchObject([{ event: 'delivered' }]);
});
