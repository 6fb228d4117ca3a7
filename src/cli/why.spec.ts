import { type Cast, createCast } from '../../test/support/cast.js';
import { insertRow } from '../../test/support/rows.js';
import { runJob } from '../../test/support/watched.js';
import { createWorld, environmentOf, type World } from '../../test/support/world.js';
import { civilDate } from '../platform/clock/civil-time.js';
import { explainWhy, type WhyOptions } from './why.js';

const SMTP = { SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example' };
let world: World;
let cast: Cast;
let item: string;

beforeAll(async () => {
  world = await createWorld({ env: SMTP });
  cast = await createCast(world);
  item = await insertRow(world, 'deadlines', {
    ...{ tenant_id: cast.tenant_id, title: 'TVA CA3', responsible_id: cast.teammate.id },
    due_on: civilDate(new Date(), 'Europe/Paris'),
  });
  await runJob(world, cast.tenant_id, 'check-notifications');
});
afterAll(() => world.close());

const why = (options: WhyOptions) => explainWhy({ ...environmentOf(world), ...SMTP }, options);

it('E13: vigie why prints the chain, in English, with what decided and where', async () => {
  const { text, code } = await why({ tenant: cast.tenant.slug, user: cast.teammate.email, fact: 'tva' });
  expect(code).toBe(0);
  const [title, verdict] = text.split('\n');
  expect(title).toMatch(/^Bob \(bob@example\.com\): TVA CA3/);
  expect(verdict).toMatch(/^ {2}Waits: it waits for its turn/);
  const at = '\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z';
  for (const line of [
    `${at} {2}check {7}a check ran, check-notifications succeeded \\(.*facts 1.*\\) {2}/settings#schedule`,
    `${at} {2}recipient {3}the recipient is responsible for the item {2}/items/deadline/${item}`,
    `email to bob@example\\.com:`,
    `preference {2}off by default on this channel, and nobody has turned it on {2}/settings#preferences`,
    `not again:\\n.*it was announced before, and no later reminder day has been reached, until`,
  ])
    expect(text).toMatch(new RegExp(line));
});

it('E13: vigie why --json has the answer of the API', async () => {
  const { text, code } = await why({
    tenant: cast.tenant.slug,
    address: cast.teammate.email,
    fact: item,
    json: true,
  });
  expect(code).toBe(0);
  expect(JSON.parse(text)).toMatchObject({
    recipient: { user_id: cast.teammate.id },
    facts: [{ reason: 'queued', item: { type: 'deadline', id: item } }],
  });
});

it('E13: vigie why exits with 1 where nothing is recorded, and says what was checked', async () => {
  const { text, code } = await why({ tenant: cast.tenant.slug, user: cast.teammate.id, fact: 'CFE' });
  expect(code).toBe(1);
  expect(text).toMatch(/^Nothing is recorded for Bob \(.*\) about "CFE"\.\n\nChecks that ran:/);
  expect(text).toMatch(/check-notifications.*\n {4}.*check-notifications succeeded \(/);
  expect(text).toContain('deadline_near: 7, 3, 1, 0, -1');
});

it.each<[WhyOptions, RegExp]>([
  [{ user: 'nobody@example.com', tenant: 'TENANT' }, /has no user or webhook nobody@example\.com$/],
  [{ user: 'nobody@example.com' }, /^there are several tenants: name one with --tenant$/],
  [{ user: 'nobody@example.com', tenant: 'nowhere' }, /^there is no tenant nowhere$/],
  [{ address: 'rue de la Paix', tenant: 'TENANT' }, /^address must be an e-mail address/],
  [{ fact: 'tva' }, /^name either --user or --address$/],
  [{ user: 'a@b.fr', fact: 'x'.repeat(301) }, /^--fact must be shorter/],
])('E13: vigie why exits with 2 for %j', async (options, message) => {
  const tenant = options.tenant === 'TENANT' ? cast.tenant.slug : options.tenant;
  const { text, code } = await why({ ...options, ...(tenant === undefined ? {} : { tenant }) });
  expect([code, text]).toEqual([2, expect.stringMatching(message)]);
});
