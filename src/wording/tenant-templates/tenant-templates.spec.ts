import { randomUUID } from 'node:crypto';
import { addPerson, addTenant, type CastTenant, type Person } from '../../../test/support/cast.js';
import { until } from '../../../test/support/until.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { type MailCatcher, startMailCatcher } from '../../cli/demo/mail-catcher.js';
import type { NotificationData, NotificationKind } from '../../contracts/kinds.js';
import { Notifications } from '../../notifications/notifications.service.js';
import { Database } from '../../platform/database/database.js';
import { SAMPLES } from '../samples.js';
import type { TenantTemplateView } from './tenant-templates.dto.js';
import { MAX_TENANT_SOURCES } from './tenant-templates.service.js';

const DUE = { ...SAMPLES.deadline_near, due_on: '2999-01-02' };
const PLACE = '/api/v1/tenant/templates/deadline_near/fr';

let catcher: MailCatcher;
let world: World;
/** Another process of the same installation. */
let web: World;
let tenant: CastTenant;
let ines: Person;
let other: Person;

beforeAll(async () => {
  catcher = await startMailCatcher();
  world = await createWorld({
    env: {
      VIGIE_ROLES: 'web,worker,scheduler',
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String(catcher.port),
      SMTP_TLS: 'false',
      SMTP_FROM_EMAIL: 'vigie@vigie.example',
    },
  });
  web = await createWorld({ join: world });
}, 60_000);
afterAll(async () => {
  await web.close();
  await world.close();
  await catcher.close();
});

beforeEach(async () => {
  tenant = await addTenant(world, { name: 'Cabinet Horizon' });
  ines = await addPerson(world, tenant.id, { name: 'Ines', role: 'admin', email: address() });
  other = await addPerson(world, (await addTenant(world)).id, {
    name: 'Omar',
    role: 'admin',
    email: address(),
  });
});

function address(): string {
  return `${randomUUID()}@example.com`;
}

const call = (method: string, path: string, body?: unknown, { token } = ines) =>
  world.http(method, path, { token, ...(body !== undefined && { body }) });
const put = (body: unknown, path = PLACE) => call('PUT', path, body);
const parts = async (path = PLACE) => ((await call('GET', path)).body as unknown as TenantTemplateView).parts;

/** As the kind's room would; critical, so that the test can run at any hour. */
async function announce<Kind extends NotificationKind>(
  kind: Kind,
  data: NotificationData[Kind],
  person = ines,
): Promise<void> {
  const row = {
    user_id: person.id,
    kind,
    severity: 'critical',
    data,
    audience: 'self',
    dedupe_key: randomUUID(),
  } as const;
  await world.app
    .get(Database)
    .tenant(person.tenant_id, (tx) => world.app.get(Notifications, { strict: false }).createMany(tx, [row]));
}

async function feedOf({ token }: Person, process = world) {
  const { body } = await process.http('GET', '/api/v1/notifications', { token });
  return (body as unknown as { data: { title: string; body: string }[] }).data;
}

const mailTo = ({ email }: Person) => catcher.waitFor(({ to }) => to.includes(email));

describe('B9: a tenant’s own words', () => {
  it('are used in its mails and feed, and not in those of another tenant', async () => {
    const change = {
      title: 'Cher client, {{data.title}} avant le {{date data.due_on "day"}}',
      body: 'Écrivez-nous : {{data.client_name}}',
      html: '<h1 class="title">{{title}}</h1><p>Notre équipe vous attend, {{recipient.name}}.</p>',
    };
    expect((await put(change)).status).toBe(200);
    await announce('deadline_near', DUE);
    await announce('deadline_near', DUE, other);

    const mail = await mailTo(ines);
    expect(mail.subject).toBe('Cher client, TVA CA3 avant le 2 janvier');
    expect(mail.html).toContain('Notre équipe vous attend, Ines.');
    expect(mail.html).toContain('<title>Cher client, TVA CA3 avant le 2 janvier</title>');
    expect(mail.html).toMatch(/<td class="footer"/);
    expect(mail.text).toContain('Boulangerie Martin');
    for (const process of [world, web]) {
      const [item] = await feedOf(ines, process);
      expect(item).toMatchObject({ title: mail.subject, body: 'Écrivez-nous : Boulangerie Martin' });
      expect((await feedOf(other, process))[0]?.title).toMatch(
        /^Boulangerie Martin\u00a0: TVA CA3, échéance/,
      );
    }
    expect((await mailTo(other)).html).not.toContain('Notre équipe');

    const sent = await call('GET', '/api/v1/deliveries');
    expect((sent.body as { data: object[] }).data).toEqual([
      expect.objectContaining({ title: mail.subject }),
    ]);
  });

  it('are seen at once by every process, also where the old words are cached', async () => {
    await announce('deadline_near', DUE);
    const titles = async () => [(await feedOf(ines))[0]?.title, (await feedOf(ines, web))[0]?.title];
    const [builtIn] = await titles();
    await put({ title: 'one' });
    expect(await titles()).toEqual(['one', 'one']);
    await web.http('PUT', PLACE, { token: ines.token, body: { title: 'two' } });
    expect(await titles()).toEqual(['two', 'two']);
    expect((await call('DELETE', PLACE)).status).toBe(204);
    expect(await titles()).toEqual([builtIn, builtIn]);
    expect(await world.sql('SELECT wording_version FROM tenants WHERE id = $1', [tenant.id])).toEqual([
      { wording_version: null },
    ]);
  });

  it('keep an omitted part, and null returns one to the built-in words', async () => {
    await put({ title: 'mine', body: 'my body' });
    const answer = await put({ body: null, text: 'my\r\ntext' });
    expect(answer.body).toMatchObject({
      kind: 'deadline_near',
      locale: 'fr',
      parts: {
        title: { adapted: true, source: 'mine', written_by: `user:${ines.id}`, broken: null },
        body: { adapted: false, source: null, written_by: null, updated_at: null },
        text: { adapted: true, source: 'my\ntext' },
        html: { adapted: false, built_in: expect.stringContaining('{{> due_item}}') as string },
      },
    });
    expect(await parts()).toEqual((answer.body as unknown as TenantTemplateView).parts);
    expect(await parts('/api/v1/tenant/templates/deadline_near/en')).toMatchObject({
      title: { adapted: false },
    });
  });

  it('are listed for every kind and locale, with the fields of its data', async () => {
    await put({ title: 'mine' });
    const { body } = await call('GET', '/api/v1/tenant/templates');
    const { data, next_cursor } = body as unknown as { data: TenantTemplateView[]; next_cursor: null };
    expect(next_cursor).toBeNull();
    expect(data.map(({ kind, locale }) => `${kind} ${locale}`)).toEqual(
      expect.arrayContaining(['deadline_near fr', 'deadline_near en', 'welcome fr', 'message en']),
    );
    const adapted = data.filter(({ parts: { title } }) => title.adapted);
    expect(adapted.map(({ kind, locale }) => [kind, locale])).toEqual([['deadline_near', 'fr']]);
    expect(adapted[0]?.fields).toEqual(
      expect.arrayContaining([
        { name: 'data.due_on', type: 'date', example: '2025-11-06' },
        { name: 'tenant.name', type: 'text', example: 'Cabinet Durand' },
      ]),
    );
    expect((await call('GET', '/api/v1/tenant/templates', undefined, other)).text).not.toContain(
      '"adapted":true',
    );
  });

  it('are refused with line and column, all faults together, and nothing is stored', async () => {
    const answer = await put({
      title: 'fine',
      body: 'one\n  {{shout title}}',
      html: '<p>x</p>\n<script>x</script>',
    });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      code: 'validation_failed',
      errors: [
        { pointer: '/body', detail: 'line 2, column 3: there is no helper "shout"' },
        { pointer: '/html', detail: 'line 2, column 1: <script> is not allowed' },
      ],
    });
    expect(await parts()).toMatchObject({ title: { adapted: false }, body: { adapted: false } });
  });

  it.each([
    ['an unknown kind', '/api/v1/tenant/templates/bundle/fr'],
    ['a kind named like a prototype', '/api/v1/tenant/templates/constructor/fr'],
    ['an unknown locale', '/api/v1/tenant/templates/deadline_near/de'],
  ])('404 for %s', async (_what, path) => {
    for (const [method, of] of [
      ['GET', ''],
      ['PUT', ''],
      ['DELETE', ''],
      ['POST', '/preview'],
    ] as const) {
      const answer = await call(method, path + of, method === 'GET' || method === 'DELETE' ? undefined : {});
      expect([method, answer.status]).toEqual([method, 404]);
    }
  });

  it('are limited in size, each and together', async () => {
    expect((await put({ text: 'x'.repeat(20_001) })).status).toBe(400);
    await world.sql(
      `INSERT INTO tenant_templates (tenant_id, kind, locale, part, source, written_by, updated_at)
       SELECT $1, 'kind_' || n, 'fr', 'text', repeat('x', 20000), 'user:x', now() FROM generate_series(1, $2::int) n`,
      [tenant.id, MAX_TENANT_SOURCES / 20_000],
    );
    const answer = await put({ title: 'one more' });
    expect([answer.status, answer.body]).toEqual([409, expect.objectContaining({ code: 'conflict' })]);
    expect(await parts()).toMatchObject({ title: { adapted: false } });
  });

  it('are in the audit log by the names of the changed parts', async () => {
    await put({ title: 'mine', html: '<p>{{title}}</p>' });
    const { body } = await call('GET', '/api/v1/admin/audit');
    const [entry] = (body as { data: object[] }).data;
    expect(entry).toMatchObject({
      actor: `user:${ines.id}`,
      action: 'PUT /api/v1/tenant/templates/:kind/:locale',
      changed: ['title', 'html'],
    });
  });

  it('of two admins at once: the last one wins, and both parts are there', async () => {
    const changes = await Promise.all([
      ...Array.from({ length: 4 }, (_, place) => put({ title: `title ${place}` })),
      web.http('PUT', PLACE, { token: ines.token, body: { body: 'body' } }),
    ]);
    expect(changes.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const stored = await parts();
    expect(stored.title.source).toMatch(/^title \d$/);
    expect(stored.body.source).toBe('body');
  });

  it('are deleted with their tenant', async () => {
    await put({ title: 'mine' });
    await world.sql('DELETE FROM tenants WHERE id = $1', [tenant.id]);
    expect(await world.sql('SELECT * FROM tenant_templates WHERE tenant_id = $1', [tenant.id])).toEqual([]);
  });
});

describe('B9: a preview', () => {
  const preview = (body: unknown, path = PLACE) => call('POST', `${path}/preview`, body);

  it('shows a draft as every channel would, over the stored templates, and stores nothing', async () => {
    await put({ body: 'stored {{data.title}}' });
    const answer = await preview({ title: 'draft for {{data.client_name}}' });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      feed: { title: 'draft for Boulangerie Martin', body: 'stored TVA CA3' },
      push: { title: 'draft for Boulangerie Martin', body: 'stored TVA CA3' },
      sms: { text: 'draft for Boulangerie Martin\nstored TVA CA3\nCabinet Horizon', segments: 1 },
      email: {
        subject: 'draft for Boulangerie Martin',
        text: expect.stringContaining('Cabinet Horizon') as string,
        html: expect.stringContaining('<title>draft for Boulangerie Martin</title>') as string,
      },
    });
    expect(await parts()).toMatchObject({ title: { adapted: false } });
    expect((await preview({ body: null })).body).toMatchObject({
      feed: { body: expect.stringContaining('Date limite') as string },
    });
  });

  it('renders the caller’s data', async () => {
    const answer = await preview({ title: '{{data.title}}', data: { title: 'CFE', due_on: '2026-12-15' } });
    expect(answer.body).toMatchObject({ feed: { title: 'CFE' } });
  });

  it('shows an SMS as it would be charged: cut to two segments, and counted', async () => {
    const { body } = await preview({ body: `${'x'.repeat(200)}\n${'y'.repeat(200)}` });
    const { text, segments } = body.sms as { text: string; segments: number };
    expect([segments, text.includes('yyy'), text.endsWith('Cabinet Horizon')]).toEqual([2, false, true]);
  });

  it('has the tenant’s own last fact, none of another tenant, and none of a one-time link', async () => {
    const last = async (kind: string, who = ines) =>
      (await call('GET', `/api/v1/tenant/templates/${kind}/fr/last-fact`, undefined, who)).body;
    expect(await last('deadline_near')).toEqual({ at: null, data: null });
    for (const [key, kind, data, at] of [
      ['1', 'deadline_near', { title: 'Ancienne' }, '2026-03-01T08:00:00.000Z'],
      ['2', 'deadline_near', { title: 'Dernière' }, '2026-03-02T08:00:00.000Z'],
      ['3', 'welcome', { link_id: randomUUID() }, '2026-03-02T08:00:00.000Z'],
      ['4', 'message', { template: 'facture', data: { client: 'Leroy' } }, '2026-03-02T09:00:00.000Z'],
    ] as const) {
      await world.sql(
        `INSERT INTO notifications (tenant_id, recipient, user_id, dedupe_key, kind, severity, data, audience, created_at)
         VALUES ($1, $2, $3, $4, $5, 'info', $6, 'responsible', $7)`,
        [tenant.id, `user:${ines.id}`, ines.id, key, kind, JSON.stringify(data), at],
      );
    }
    expect(await last('deadline_near')).toEqual({
      at: '2026-03-02T08:00:00.000Z',
      data: { title: 'Dernière' },
    });
    expect(await last('message.facture')).toEqual({
      at: '2026-03-02T09:00:00.000Z',
      data: { client: 'Leroy' },
    });
    expect(await last('message.autre')).toEqual({ at: null, data: null });
    // Its data identifies the one-time link of a person.
    expect(await last('welcome')).toEqual({ at: null, data: null });
    expect(await last('deadline_near', other)).toEqual({ at: null, data: null });
  });

  it('answers faults with line and column', async () => {
    const answer = await preview({ text: '\n{{data.nothing}}' });
    expect([answer.status, answer.body]).toEqual([
      400,
      expect.objectContaining({
        errors: [{ pointer: '/text', detail: 'line 2, column 3: there is no field "data.nothing"' }],
      }),
    ]);
  });

  it('requires the one-time link of a mail that has one', async () => {
    const path = '/api/v1/tenant/templates/welcome/fr';
    const detail = expect.stringContaining('insert {{> link_button}}') as string;
    for (const html of [
      '<p>{{title}}</p>',
      '<p>{{title}}</p>{{#if data.nobody}}{{/if}}',
      '{{#if author.name}}{{> link_button}}{{/if}}',
    ]) {
      const answer = await preview({ html }, path);
      expect(answer.status).toBe(400);
    }
    expect((await preview({ html: '<p>{{title}}</p>' }, path)).body).toMatchObject({
      errors: [{ pointer: '/html', detail }],
    });
    expect((await preview({ html: '<p>{{title}}</p>{{> link_button}}' }, path)).status).toBe(200);
  });
});

describe('B9: a template that breaks later', () => {
  /** As an earlier version of Vigie would have accepted it. */
  const store = async (part: string, source: string) => {
    await put({ title: 'fine' });
    await world.sql(
      `INSERT INTO tenant_templates (tenant_id, kind, locale, part, source, written_by, updated_at)
       VALUES ($1, 'deadline_near', 'fr', $2, $3, 'user:x', now())`,
      [tenant.id, part, source],
    );
    await world.sql('UPDATE tenants SET wording_version = gen_random_uuid() WHERE id = $1', [tenant.id]);
  };

  it('does not stop the send: the mail has the built-in part, and the admins see since when and why', async () => {
    await store('html', '<p>{{data.field_of_an_old_version}}</p>');
    await announce('deadline_near', DUE);
    const mail = await mailTo(ines);
    expect(mail.subject).toBe('fine');
    expect(mail.html).toContain('class="facts"');
    const html = await until('the template is marked', async () => {
      const { broken } = (await parts()).html;
      return broken ?? false;
    });
    expect(html).toEqual({
      since: expect.any(String) as string,
      reason: 'line 1, column 6: there is no field "data.field_of_an_old_version"',
    });
    const metrics = await world.http('GET', '/metrics');
    expect(metrics.text).toMatch(/vigie_tenant_templates_broken_total\{part="html"\} [1-9]/);

    // Sound again: the state is cleared, and its words are used.
    await put({ html: '<p>sound</p>' });
    expect((await parts()).html.broken).toBeNull();
  });

  it('falls back for one message whose data is too much for it, and keeps its words for others', async () => {
    const path = '/api/v1/tenant/templates/message/fr';
    const body =
      '{{#each data.data.list}}{{#each ../data.data.list}}{{#each ../../data.data.list}}x{{/each}}{{/each}}{{/each}}ok';
    expect((await put({ body }, path)).status).toBe(200);
    const message = { kind: null, title: 'T', body: 'B' };
    await announce('message', { ...message, data: { list: Array.from({ length: 500 }, () => 1) } });
    await announce('message', { ...message, data: { list: [] } });
    expect((await feedOf(ines)).map((item) => item.body)).toEqual(['ok', 'B']);
    await until('the template is marked', async () => (await parts(path)).body.broken !== null);
  });
});
