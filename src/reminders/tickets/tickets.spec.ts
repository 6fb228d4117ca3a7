import { addPerson, type Person } from '../../../test/support/cast.js';
import { countsOf, done, NDJSON, readFaults, sendFile } from '../../imports/import.fixture.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { ReminderStage } from '../reminders.fixture.js';

/** A Monday, 10:00 in Paris. */
const NOW = '2026-03-30T08:00:00.000Z';
const clock = new FixedClock(NOW);
let stage: ReminderStage;
let owner: Person;

beforeAll(async () => {
  stage = await ReminderStage.open(clock);
  owner = await addPerson(stage.world, stage.cast.tenant_id, { name: 'Claire' });
});
afterAll(() => stage.close());
beforeEach(async () => {
  clock.set(NOW);
  await stage.world.sql('DELETE FROM preferences');
});

const FINE = {
  title: 'Stationnement, rue de Nantes',
  due_on: '2026-04-02',
  amount_cents: 13_500,
  reference: '7512345678',
};
const add = async (fields: object = {}) => {
  const { status, body } = await stage.call('POST', 'tickets', {
    ...FINE,
    responsible_id: owner.id,
    ...fields,
  });
  expect(status).toBe(201);
  return body as { id: string };
};
const notify = (id: string) => stage.call('POST', `tickets/${id}/notify`, {});

describe('N4: a ticket', () => {
  it('has an owner, an amount, a reference and a due date', async () => {
    const { id } = await add({ currency: 'CHF' });
    expect((await stage.call('GET', `tickets/${id}`)).body).toMatchObject({
      ...FINE,
      currency: 'CHF',
      responsible_id: owner.id,
      status: 'open',
      settled_at: null,
    });
    const found = await stage.call('GET', 'tickets?reference=7512345678&status=open');
    expect(found.body).toMatchObject({ data: [{ id }], next_cursor: null });
    expect((await stage.call('GET', 'tickets?reference=75')).body).toMatchObject({ data: [] });
    await stage.call('DELETE', `tickets/${id}`);
  });

  it.each([
    [{ amount_cents: -1 }, '/amount_cents'],
    [{ amount_cents: 13.5 }, '/amount_cents'],
    [{ amount_cents: 2_147_483_648 }, '/amount_cents'],
    [{ currency: 'eur' }, '/currency'],
    [{ currency: 'XYZ' }, '/currency'],
    [{ reference: '' }, '/reference'],
    [{ due_on: '2026-02-30' }, '/due_on'],
    [{ responsible_id: '01890a5d-ac96-774b-bcce-b302099a8057' }, '/responsible_id'],
  ])('refuses %j at its place', async (fields, pointer) => {
    const answer = await stage.call('POST', 'tickets', { ...FINE, ...fields });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer }] } });
  });

  it('is imported, with whole cents and an owner by address', async () => {
    const file = [
      'Contravention;Échéance;Titulaire;Numéro de l’avis;Montant en centimes;Devise',
      `Excès de vitesse;15/05/2026;${owner.email};A-1;9000;eur`,
      `Stationnement;16/05/2026;;A-2;90,50;EUR`,
    ].join('\n');
    const sent = await sendFile(stage.world, owner.token, 'tickets', file);
    expect([sent.status, countsOf(sent)]).toEqual([201, done(1, 0, 0, 1)]);
    expect(await readFaults(stage.world, owner.token, sent)).toMatchObject([
      { line: 3, field: 'amount_cents' },
    ]);
    const { body } = await stage.call('GET', 'tickets?due_after=2026-05-01');
    expect(body.data).toMatchObject([
      {
        title: 'Excès de vitesse',
        due_on: '2026-05-15',
        responsible_id: owner.id,
        reference: 'A-1',
        amount_cents: 9_000,
        currency: 'EUR',
      },
    ]);
    // The same fine again changes nothing; another amount is an update.
    const line = (amount_cents: number) =>
      JSON.stringify({ external_id: 'X-1', title: 'Amende', due_on: '2026-05-20', amount_cents });
    const again = async (amount: number) =>
      countsOf(await sendFile(stage.world, owner.token, 'tickets', line(amount), { 'content-type': NDJSON }));
    expect(await again(100)).toEqual(done(1, 0, 0, 0));
    expect(await again(100)).toEqual(done(0, 0, 1, 0));
    expect(await again(200)).toEqual(done(0, 1, 0, 0));
  });
});

describe('N4: notifying the owner of a ticket', () => {
  it('reaches the owner’s mail and push, in the ticket’s words', async () => {
    await stage.addBrowser(owner);
    const { id } = await add();
    const answer = await notify(id);
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({
      segments: null,
      notifications: [{ recipient: `user:${owner.id}`, user_id: owner.id, created: true }],
    });
    expect(await stage.arrived()).toEqual({
      mails: [
        {
          to: [owner.email],
          subject: 'Stationnement, rue de Nantes (135,00\u00a0€), à payer dans 3 jours',
        },
      ],
      texts: [],
      pushes: 1,
    });
    const text = stage.lastMail().text.replaceAll('\u00a0', ' ');
    expect(text).toContain('À payer dans 3 jours');
    expect(text).toContain('Montant : 135,00 €');
    expect(text).toContain('Payer avant le : jeudi 2 avril 2026');
    expect(text).toContain('Avis : 7512345678');
  });

  it('follows the owner’s preferences', async () => {
    await stage.world.sql(`UPDATE users SET phone = '+33612345678' WHERE id = $1`, [owner.id]);
    await stage.call(
      'PUT',
      'preferences',
      {
        preferences: [
          { kind: 'reminder', channel: 'email', enabled: false },
          { kind: 'reminder', channel: 'sms', enabled: true },
        ],
      },
      owner,
    );
    const { id } = await add({ due_on: '2026-03-20' });
    await notify(id);
    const { mails, texts } = await stage.arrived();
    expect(mails).toEqual([]);
    expect(texts).toEqual([
      { to: '+33612345678', text: expect.stringContaining('en retard de 10 jours') as string },
    ]);
  });

  it('without an owner, notifies the admins', async () => {
    const { id } = await add({ responsible_id: null });
    await notify(id);
    expect((await stage.arrived()).mails.map(({ to }) => to)).toEqual([[stage.cast.admin.email]]);
    expect(stage.lastMail().text).toContain('Personne (vous êtes prévenu en tant qu’administrateur)');
  });

  it('happens at each call, once per idempotency key, and not after it is settled', async () => {
    const { id } = await add();
    const keyed = () =>
      stage.world.http('POST', `/api/v1/tickets/${id}/notify`, {
        token: stage.cast.admin.token,
        body: {},
        headers: { 'idempotency-key': 'notify-once' },
      });
    const first = await keyed();
    expect((await keyed()).body).toEqual(first.body);
    await stage.call('POST', `tickets/${id}/settle`);
    expect(await notify(id)).toMatchObject({ status: 409, body: { code: 'conflict' } });
    await stage.call('POST', `tickets/${id}/reopen`);
    expect((await notify(id)).status).toBe(202);
  });
});
