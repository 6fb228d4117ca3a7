import { addPerson, addTenant, type Person } from '../../../test/support/cast.js';
import { runJob } from '../../../test/support/watched.js';
import { createWorld, mailEnvironment, type World } from '../../../test/support/world.js';
import { type MailCatcher, startMailCatcher } from '../../cli/demo/mail-catcher.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import { type LocalProvider, startProvider } from '../channels/provider.fixture.js';
import { StepwiseDelivery } from '../dispatch/bundling.fixture.js';
import {
  CERT_PATH,
  genericCall,
  HOOKS_ENV,
  MAIL_CALLS,
  type MailEvent,
  NOW,
  post,
  type SentMail,
  SNS,
  snsCall,
} from './hooks.fixture.js';

/** V18: what mail providers report, from their signed request to the delivery. */
const clock = new FixedClock(NOW);
let world: World;
let smtp: MailCatcher;
let amazon: LocalProvider;
let way: StepwiseDelivery;
let admin: Person;
let other: Person;

beforeAll(async () => {
  smtp = await startMailCatcher();
  amazon = await startProvider({ status: 200, body: SNS.cert });
  world = await createWorld({
    clock,
    env: { ...HOOKS_ENV, ...mailEnvironment(smtp), HOOKS_SES_SNS_URL: amazon.url },
  });
  way = new StepwiseDelivery(world);
  await world.sql(`INSERT INTO workers VALUES (gen_random_uuid(), 'email', 50, now() + interval '1 day')`);
});
afterAll(async () => {
  await world.close();
  await smtp.close();
  await amazon.close();
});
beforeEach(async () => {
  const tenant = await addTenant(world, { name: 'Cabinet Horizon' });
  admin = await addPerson(world, tenant.id, { name: 'Claire', role: 'admin' });
  other = await addPerson(world, tenant.id, { name: 'Denis', role: 'admin' });
});

let people = 0;
const newAddress = () => `Client.${(people += 1)}@client.example`;

/** @param expected 200 if nothing of it is to be sent */
const message = async (to: string, expected = 202) => {
  const answer = await world.http('POST', '/api/v1/notifications', {
    token: admin.token,
    body: { channel: 'email', to, subject: 'Relance', body: 'Bonjour' },
  });
  expect(answer.status).toBe(expected);
  const [notification] = (answer.body as { notifications: { deliveries: Delivery[] }[] }).notifications;
  return notification!.deliveries[0]!;
};
const send = async (to = newAddress()): Promise<SentMail & { delivery: Delivery }> => {
  const delivery = await message(to);
  await way.leave();
  const mail = await smtp.waitFor((one) => one.to.includes(to) && one.subject === 'Relance');
  const metadata = mail.headers.get('x-pm-metadata-vigie-message') ?? '';
  return { message_id: mail.message_id, to, metadata, delivery };
};

interface Delivery {
  id: string;
  state: string;
  reason: string | null;
  sent_at: string | null;
  delivered_at: string | null;
  provider_events: {
    event: string;
    bounce: string | null;
    provider: string;
    detail: string | null;
    at: string;
  }[];
}
const shown = async ({ id }: { id: string }) => {
  const answer = await world.http('GET', `/api/v1/deliveries/${id}`, { token: admin.token });
  expect(answer.status).toBe(200);
  return answer.body as Delivery;
};
const stopped = async () => {
  const answer = await world.http('GET', '/api/v1/tenant/stopped-addresses', { token: admin.token });
  expect(answer.status).toBe(200);
  return (answer.body as { data: { id: string; address: string; reason: string; provider: string }[] }).data;
};
const notices = (person = admin) =>
  world.sql<{ id: string; data: Record<string, unknown> }>(
    `SELECT id, data FROM notifications WHERE kind = 'address_stopped' AND user_id = $1`,
    [person.id],
  );

const PROVIDERS = Object.keys(MAIL_CALLS) as (keyof typeof MAIL_CALLS)[];

describe.each(PROVIDERS)('%s', (provider) => {
  const report = async (event: MailEvent, mail: SentMail) => {
    const call = MAIL_CALLS[provider](event, mail);
    const { status, body } = await post(world, call);
    expect([status, body]).toEqual([200, { received: true }]);
    return call;
  };

  it('V18: a receipt is shown on the delivery, whose outcome stays', async () => {
    const mail = await send();
    await report('delivered', mail);
    expect(await shown(mail.delivery)).toMatchObject({
      state: 'sent',
      delivered_at: NOW,
      provider_events: [{ event: 'delivered', bounce: null, provider, at: NOW }],
    });
    expect(await stopped()).toEqual([]);
  });

  it('V18: a hard bounce stops that address, once, and each admin is notified once', async () => {
    const mail = await send();
    const call = await report('hard_bounce', mail);
    const bounced = await shown(mail.delivery);
    expect(bounced).toMatchObject({
      state: 'sent',
      delivered_at: null,
      provider_events: [{ event: 'bounced', bounce: 'hard', provider }],
    });
    expect(JSON.stringify(bounced.provider_events)).not.toContain('@');
    const address = mail.to.toLowerCase();
    expect(await stopped()).toEqual([
      expect.objectContaining({ address, reason: 'hard_bounce', provider, delivery_id: mail.delivery.id }),
    ]);
    // The same request again, and the same event about a mail that was on its way.
    expect((await post(world, call)).status).toBe(200);
    expect((await shown(mail.delivery)).provider_events).toHaveLength(1);
    await report('hard_bounce', mail);
    expect(await stopped()).toHaveLength(1);
    for (const person of [admin, other]) {
      expect((await notices(person)).map(({ data }) => data)).toEqual([
        expect.objectContaining({ channel: 'email', address, reason: 'hard_bounce', since: NOW }),
      ]);
    }
    // In another spelling, too.
    expect(await message(mail.to.toUpperCase(), 200)).toMatchObject({
      state: 'suppressed',
      reason: 'address_stopped',
    });
  });

  it('V18: a complaint stops that mail address; a soft bounce and an opened mail do not', async () => {
    const mail = await send();
    await report('soft_bounce', mail);
    await report('opened', mail);
    expect(await stopped()).toEqual([]);
    expect((await shown(mail.delivery)).provider_events).toMatchObject([
      { event: 'bounced', bounce: 'soft' },
    ]);
    await report('complaint', mail);
    expect(await stopped()).toMatchObject([{ address: mail.to.toLowerCase(), reason: 'complaint' }]);
    expect(await notices()).toHaveLength(1);
  });

  it('V18: an event about an unknown message answers 2xx and changes nothing', async () => {
    const before = await world.sql('SELECT * FROM provider_events');
    const unknown = '0199f3c4-0000-7000-8000-00000000ffff';
    await report('hard_bounce', {
      message_id: `<${unknown}@vigie.example>`,
      to: 'nobody@client.example',
      metadata: unknown,
    });
    expect(await world.sql('SELECT * FROM provider_events')).toEqual(before);
    expect(await stopped()).toEqual([]);
  });
});

it('V18: SNS signs with SHA-1 or SHA-256; the certificate is read once', async () => {
  const mail = await send();
  const event = JSON.parse(MAIL_CALLS.ses('delivered', mail).body) as { Message: string };
  expect((await post(world, snsCall({ Message: event.Message }, '2'))).status).toBe(200);
  expect((await shown(mail.delivery)).provider_events).toHaveLength(1);
  expect(amazon.received.filter(({ path }) => path === CERT_PATH)).toHaveLength(1);
});

it('V18: a subscription to the topic is confirmed at SNS', async () => {
  const query = `?Action=ConfirmSubscription&TopicArn=${HOOKS_ENV.HOOKS_SES_TOPIC_ARN}&Token=2336412f37`;
  const call = snsCall({
    Type: 'SubscriptionConfirmation',
    Message: 'You have chosen to subscribe to the topic',
    Token: '2336412f37',
    SubscribeURL: `https://sns.eu-west-3.amazonaws.com/${query}`,
  });
  expect((await post(world, call)).status).toBe(200);
  expect(amazon.received.at(-1)).toMatchObject({ method: 'GET', path: `/${query}` });
  amazon.answer({ status: 500 });
  expect((await post(world, call)).status).toBe(503);
});

it('V18: an event of a bundle is shown on each of its deliveries', async () => {
  const { tenant_id } = admin;
  const person = await addPerson(world, tenant_id, { name: `Eve${people}`, role: 'member' });
  await world.sql(
    `INSERT INTO deadlines (tenant_id, title, due_on, responsible_id)
     VALUES ($1, 'TVA', '2026-03-31', $2), ($1, 'CFE', '2026-03-31', $2)`,
    [tenant_id, person.id],
  );
  await runJob(world, tenant_id, 'check-notifications');
  await way.leave();
  const { message_id } = await smtp.waitFor((one) => one.to.includes(person.email));
  await post(world, genericCall([{ id: 'bundle', event: 'bounced', bounce: 'hard', message_id }]));
  expect(
    await world.sql(
      `SELECT d.state, e.event FROM deliveries d JOIN provider_events e ON e.delivery_id = d.id
       WHERE d.recipient = $1`,
      [`user:${person.id}`],
    ),
  ).toEqual([
    { state: 'sent', event: 'bounced' },
    { state: 'sent', event: 'bounced' },
  ]);
  expect(await stopped()).toMatchObject([{ address: person.email }]);
});

it('V18: a forwarded mail that bounces elsewhere is shown, and stops no address', async () => {
  const mail = await send();
  const elsewhere = { ...mail, to: 'elsewhere@forwarded.example' };
  await post(world, MAIL_CALLS.ses('hard_bounce', elsewhere));
  expect((await shown(mail.delivery)).provider_events).toHaveLength(1);
  expect(await stopped()).toEqual([]);
});

it('V18: 1,000 events in one request; each tenant gets its own', async () => {
  const mine = await send();
  const theirs = await addTenant(world);
  const outsider = await addPerson(world, theirs.id, { name: `Zoe${(people += 1)}`, role: 'admin' });
  const mails = [mine];
  const owner = admin;
  admin = outsider;
  mails.push(await send());
  admin = owner;
  const events = Array.from({ length: 1_000 }, (_none, place) => {
    const { message_id, to } = mails[place % 2]!;
    return {
      id: `many-${place}`,
      event: place < 2 ? 'bounced' : 'delivered',
      bounce: 'hard',
      message_id,
      address: to,
    };
  });
  expect((await post(world, genericCall(events))).status).toBe(200);
  const counts = await world.sql(
    `SELECT tenant_id, count(*)::integer AS events FROM provider_events
     WHERE event_key LIKE 'many-%' GROUP BY 1 ORDER BY 2`,
  );
  expect(counts).toEqual(
    expect.arrayContaining([
      { tenant_id: owner.tenant_id, events: 500 },
      { tenant_id: outsider.tenant_id, events: 500 },
    ]),
  );
  expect(await stopped()).toHaveLength(1);
  expect((await shown(mine.delivery)).provider_events).toHaveLength(100);
});
