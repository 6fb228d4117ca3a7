import { type Cast, createCast } from '../../test/support/cast.js';
import { insertRow } from '../../test/support/rows.js';
import { createWorld, environmentOf, type World } from '../../test/support/world.js';
import { addDays, civilDate } from '../platform/clock/civil-time.js';
import { showPreview } from './preview.js';

/** V9: what would fire, from the command line, over the same service as REST. */
let world: World;
let cast: Cast;
let environment: Record<string, string>;
let tomorrow: string;

beforeAll(async () => {
  world = await createWorld();
  cast = await createCast(world);
  environment = { ...environmentOf(world), SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example' };
  // The command reads the machine's clock.
  tomorrow = addDays(civilDate(new Date(), 'Europe/Paris'), 1);
  await insertRow(world, 'deadlines', {
    tenant_id: cast.tenant_id,
    title: 'TVA CA3',
    due_on: addDays(tomorrow, 7),
    responsible_id: cast.teammate.id,
  });
});
afterAll(() => world.close());

test('V9: the preview is a table with its assumptions, or JSON', async () => {
  const text = await showPreview(environment, { tenant: cast.tenant.slug, date: tomorrow });
  const lines = text.split('\n');
  expect(lines[0]).toBe(`check-notifications on ${tomorrow} (Europe/Paris)`);
  expect(text).toMatch(/^SLOT +RECIPIENT +CHANNEL +WHAT +OUTCOME +WHEN +WHY +RAN$/m);
  expect(text).toMatch(
    new RegExp(`^09:00 +Bob +email +TVA CA3, échéance dans 7 jours +leaves +${tomorrow} 09:00 +- +-$`, 'm'),
  );
  expect(text).toContain('Messages: 1. Notifications: 1 leave at once, 0 wait, 0 not sent.');
  expect(text).toContain('Items, people and settings are as they are now.');
  const json = JSON.parse(
    await showPreview(environment, {
      tenant: cast.tenant.slug,
      job: 'cleanup',
      date: '2100-01-01',
      json: true,
    }),
  ) as object;
  expect(json).toMatchObject({ job: 'cleanup', entries: [], assumptions: ['too_far_away'] });
  expect(await world.sql('SELECT FROM notifications')).toEqual([]);
});

test.each([
  [{ tenant: 'nobody' }, 'there is no tenant nobody'],
  [
    { tenant: 'cabinet-martin', job: 'dispatch' },
    'there is no preview of dispatch; the jobs are check-notifications',
  ],
  [{ tenant: 'cabinet-martin', date: '2026-02-30' }, '--date must be a day that exists'],
  [{ tenant: 'cabinet-martin', date: '9999-12-31' }, 'from 1900 to 2199'],
  [{ tenant: 'cabinet-martin', limit: '0' }, '--limit must be a number from 1 to 2000'],
])('V9: %j is explained in words', async (options, message) => {
  await expect(showPreview(environment, options)).rejects.toThrow(message);
});
