import { addPerson, addTenant, createCast, type Person } from '../../../../test/support/cast.js';
import { runJob } from '../../../../test/support/watched.js';
import { createWorld, mailEnvironment, type World } from '../../../../test/support/world.js';
import { type MailCatcher, startMailCatcher } from '../../../cli/demo/mail-catcher.js';
import { FixedClock } from '../../../platform/clock/fixed-clock.js';
import { StepwiseDelivery } from '../../dispatch/bundling.fixture.js';

const DAY = 24 * 3_600_000;

describe('a mail as its reader sees it', () => {
  // A Monday, 09:00 in Paris.
  const clock = new FixedClock('2026-03-30T07:00:00Z');
  let world: World;
  let way: StepwiseDelivery;
  let smtp: MailCatcher;
  let claire: Person;

  beforeAll(async () => {
    smtp = await startMailCatcher();
    world = await createWorld({
      clock,
      env: mailEnvironment(smtp),
    });
    await createCast(world);
    way = new StepwiseDelivery(world);
    await world.sql(`INSERT INTO workers VALUES (gen_random_uuid(), 'email', 50, now() + interval '1 day')`);
    const tenant = await addTenant(world);
    claire = await addPerson(world, tenant.id, { name: 'Claire', role: 'admin' });
  });
  afterAll(async () => {
    await world.close();
    await smtp.close();
  });

  it('M8: a colleague’s message is from the colleague, and replies go there', async () => {
    const answer = await world.http('POST', '/api/v1/notifications', {
      token: claire.token,
      body: { channel: 'email', to: 'paul@client.example', subject: 'Relance', body: 'Bonjour.' },
    });
    expect(answer.status).toBeLessThan(300);
    await way.leave();
    const { headers } = smtp.mails.at(-1)!;
    expect(headers.get('from')).toBe('Claire via Vigie <vigie@vigie.example>');
    expect(headers.get('reply-to')).toBe(`Claire <${claire.email}>`);
    expect(headers.has('auto-submitted')).toBe(false);
  });

  it('M10: the stages of one fact are one conversation', async () => {
    await world.sql(
      `INSERT INTO deadlines (tenant_id, title, due_on, responsible_id) VALUES ($1, 'TVA CA3', '2026-04-06', $2)`,
      [claire.tenant_id, claire.id],
    );
    const before = smtp.count;
    for (let day = 0; day < 8; day += 1) {
      await runJob(world, claire.tenant_id, 'check-notifications');
      await way.leave();
      clock.advance(DAY);
    }
    const mails = smtp.mails.slice(before);
    expect(mails.length).toBeGreaterThan(1);
    const roots = new Set(mails.map(({ headers }) => headers.get('references')));
    expect([...roots]).toEqual([expect.stringMatching(/^<[0-9a-f-]{36}\.fact@vigie\.example>$/)]);
    expect(new Set(mails.map(({ message_id }) => message_id)).size).toBe(mails.length);
    for (const { headers } of mails) {
      expect(headers.get('from')).toBe('Vigie <vigie@vigie.example>');
      expect(headers.get('auto-submitted')).toBe('auto-generated');
      expect(headers.get('list-id')).toContain(`<${claire.tenant_id}.vigie.vigie.example>`);
    }
  });
});
