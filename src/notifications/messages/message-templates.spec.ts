import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { addPerson, addTenant, type CastTenant, type Person } from '../../../test/support/cast.js';
import { until } from '../../../test/support/until.js';
import { type Answer, createWorld, mailEnvironment, type World } from '../../../test/support/world.js';
import { type MailCatcher, startMailCatcher } from '../../cli/demo/mail-catcher.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import type { TenantTemplateView } from '../../wording/tenant-templates/tenant-templates.dto.js';
import type { MessageState } from './messages.dto.js';

/** A Wednesday, 10:00 in Paris. */
const NOW = '2026-11-18T09:00:00.000Z';
const DATA = { client: 'Garage Leroy', due_on: '2026-11-30', lines: [{ label: 'Audit', cents: 13_500 }] };
const FR = {
  title: 'Facture de {{data.client}}, à payer avant le {{date data.due_on "day"}}',
  body: 'Bonjour {{recipient.name}},\n{{#each data.lines}}{{label}} : {{money cents "EUR"}}\n{{/each}}',
  html: '<h1 class="title">{{title}}</h1>{{#if data.note}}<p>{{data.note}}</p>{{/if}}',
};
const EN = {
  title: 'Invoice of {{data.client}}',
  body: 'Hello {{recipient.name}}, due {{date data.due_on}}',
};

/** E1: `template` and `data` of `POST notifications`. */
describe('message templates', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'vigie-sms-'));
  const smsFile = path.join(directory, 'sms.ndjson');
  const clock = new FixedClock(NOW);
  let catcher: MailCatcher;
  let world: World;
  let tenant: CastTenant;
  let admin: Person;
  let english: Person;

  beforeAll(async () => {
    catcher = await startMailCatcher();
    world = await createWorld({
      clock,
      env: { ...mailEnvironment(catcher), SMS_PROVIDER: 'console', SMS_SIMULATION_FILE: smsFile },
    });
  });
  afterAll(async () => {
    await world.close();
    await catcher.close();
    rmSync(directory, { recursive: true, force: true });
  });
  beforeEach(async () => {
    tenant = await addTenant(world, { name: 'Cabinet Horizon' });
    const person = (name: string, role: 'admin' | 'member') =>
      addPerson(world, tenant.id, { name, role, email: `${randomUUID()}@example.com` });
    admin = await person('Ines', 'admin');
    english = await person('Emma', 'member');
    await world.sql(`UPDATE users SET locale = 'en' WHERE id = $1`, [english.id]);
    await world.sql(`UPDATE users SET phone = '+33612345678' WHERE id = $1`, [admin.id]);
  });

  const call = (method: string, path: string, body?: unknown, { token } = admin) =>
    world.http(method, `/api/v1/${path}`, { token, ...(body !== undefined && { body }) });
  const template = (name: string, locale = 'fr') => `tenant/templates/message.${name}/${locale}`;
  const post = (body: object = {}, person = admin) =>
    call(
      'POST',
      'notifications',
      { channel: 'email', user_ids: [admin.id], template: 'facture', data: DATA, ...body },
      person,
    );
  const now = (body: object = {}) => post({ send_now: true, ...body });
  const faults = ({ body }: Answer) => (body as { errors: { pointer: string; detail: string }[] }).errors;
  const feed = async (person = admin) =>
    (
      (await call('GET', 'notifications', undefined, person)).body as {
        data: { title: string; body: string; data: object }[];
      }
    ).data;
  const mailTo = ({ email }: Person) => catcher.waitFor(({ to }) => to.includes(email));
  const addFacture = async () => {
    expect((await call('PUT', template('facture'), FR)).status).toBe(200);
    expect((await call('PUT', template('facture', 'en'), EN)).status).toBe(200);
  };

  it('E1: a mail has the words of the template, in the language of each recipient', async () => {
    await addFacture();
    const answer = await now({ user_ids: [admin.id, english.id] });
    expect(answer.status).toBe(200);
    const mail = await mailTo(admin);
    expect(mail.subject).toBe('Facture de Garage Leroy, à payer avant le 30 novembre');
    expect(mail.html).toContain(`<title>${mail.subject}</title>`);
    // Without an own text the frame of written messages: who writes, and the body.
    expect(mail.text).toContain('Ines vous écrit');
    expect(mail.text).toMatch(/> Bonjour Ines,\n> Audit : 135,00\s€/);
    const other = await mailTo(english);
    expect(other.subject).toBe('Invoice of Garage Leroy');
    expect(other.html).toContain('Hello Emma, due Monday');
    const [item] = await feed();
    expect(item).toMatchObject({ title: mail.subject, data: { template: 'facture', data: DATA } });
    expect((await feed(english))[0]?.title).toBe(other.subject);
    // No words are stored, but those that were sent.
    expect(
      await world.sql('SELECT DISTINCT data FROM notifications WHERE tenant_id = $1', [tenant.id]),
    ).toEqual([{ data: { kind: null, template: 'facture', data: DATA } }]);
  });

  it('E1: falls back to the language that the template has, with its dates', async () => {
    await call('PUT', template('rappel', 'en'), EN);
    await now({ template: 'rappel' });
    expect((await mailTo(admin)).subject).toBe('Invoice of Garage Leroy');
    expect((await feed())[0]?.body).toBe('Hello Ines, due Monday, 30 November 2026');
  });

  it('E3: an SMS is the body of the template, and the answer has its segments', async () => {
    await addFacture();
    const answer = await now({ channel: 'sms' });
    expect(answer.status).toBe(200);
    const sent = JSON.parse(readFileSync(smsFile, 'utf8').trim().split('\n').at(-1) ?? '') as {
      text: string;
    };
    expect(sent.text).toMatch(/^Bonjour Ines,\nAudit : 135,00\s€$/);
    expect(answer.body.segments).toBe(1);
    const long = 'x'.repeat(1_601);
    await call('PUT', template('long'), { title: 'Long', body: '{{data.text}}' });
    expect(faults(await now({ channel: 'sms', template: 'long', data: { text: long } }))).toEqual([
      {
        pointer: '/data',
        detail: 'the text of the template must have at most 1600 characters, and has 1601 (fr)',
      },
    ]);
    expect((await post({ template: 'long', data: { text: long } })).status).toBe(202);
  });

  it('E11: names a template that does not exist, and those that do', async () => {
    expect(faults(await post())).toEqual([
      { pointer: '/template', detail: 'is not a message template of this tenant: there are none' },
    ]);
    for (let index = 10; index < 32; index++) await call('PUT', template(`modele-${index}`), EN);
    const [fault] = faults(await post({ template: 'deadline_near' }));
    expect(fault?.detail).toMatch(/: there are modele-10, modele-11, .*modele-29 …$/);
    const other = await addPerson(world, (await addTenant(world)).id, { name: 'Omar', role: 'admin' });
    const refused = await post({ template: 'modele-10', user_ids: [other.id] }, other);
    expect(faults(refused)[0]?.pointer).toBe('/template');
  });

  it.each<[string, object, string, string]>([
    ['a missing field', { client: undefined }, '/data/client', 'is missing: the template prints it'],
    ['a missing list', { lines: undefined }, '/data/lines', 'is missing: the template lists it'],
    [
      'a list as a value',
      { client: ['a'] },
      '/data/client',
      'must be a text, a number, or true or false: the template prints it',
    ],
    ['a value as a list', { lines: 'Audit' }, '/data/lines', 'must be a list: the template lists it'],
    [
      'a missing field of an entry',
      { lines: [{ cents: 1 }] },
      '/data/lines/0/label',
      'is missing: the template prints it',
    ],
    [
      'another type in an entry',
      { lines: [{ label: 'a', cents: '1' }] },
      '/data/lines/0/cents',
      'must be a whole number of the smallest unit',
    ],
    ['a date that is none', { due_on: '30/11/2026' }, '/data/due_on', 'must be a date (YYYY-MM-DD)'],
    ['a day that does not exist', { due_on: '2026-11-31' }, '/data/due_on', 'must be a date (YYYY-MM-DD)'],
    [
      'a missing date',
      { due_on: undefined },
      '/data/due_on',
      'is missing: the template uses it with {{date}}',
    ],
  ])('E11: refuses data that does not fit: %s', async (_what, change, pointer, detail) => {
    await addFacture();
    const answer = await now({ data: { ...DATA, ...change } });
    expect(answer.status).toBe(400);
    expect(faults(answer)).toEqual([{ pointer, detail }]);
    expect(await world.sql('SELECT FROM notifications WHERE tenant_id = $1', [tenant.id])).toEqual([]);
  });

  it('E11: reports every field at once; null and what only a condition asks for may be missing', async () => {
    await addFacture();
    expect(faults(await post({ data: undefined })).map(({ pointer }) => pointer)).toEqual([
      '/data/client',
      '/data/due_on',
      '/data/lines',
    ]);
    expect((await post({ data: { ...DATA, client: null, note: 'Merci' } })).status).toBe(202);
    const { body } = await call('GET', template('facture'));
    const own = (body as { fields: { name: string }[] }).fields.filter(({ name }) => name.startsWith('data'));
    expect(own.map(({ name }) => name)).toEqual(['data.client', 'data.due_on', 'data.lines', 'data.note']);
  });

  it.each<[string, object]>([
    ['/subject', { subject: 'Autre' }],
    ['/body', { body: 'Autre' }],
    ['/body', { template: undefined, subject: 'Autre' }],
    ['/template', { template: 7 }],
    ['/template', { template: 'x'.repeat(61) }],
    ['/template', { template: 'a\nb' }],
    ['/template', { template: 'message.facture' }],
    ['/data', { data: { text: 'x'.repeat(10_000) } }],
    ['/data', { data: JSON.parse('{"a":'.repeat(9) + '1' + '}'.repeat(9)) as object }],
  ])('E11: refuses at %s (%#)', async (pointer, body) => {
    await addFacture();
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(faults(answer).map((fault) => fault.pointer)).toContain(pointer);
  });

  it('E11: escapes data in HTML, runs no template in it, and keeps the subject one line', async () => {
    await call('PUT', template('libre'), {
      title: '{{data.subject}}',
      body: '{{data.text}}',
      html: '<p>{{data.text}}</p>',
    });
    const text = '<script>alert(1)</script> {{tenant.name}}';
    await now({ template: 'libre', data: { subject: 'a\r\nBcc: bob@example.com', text } });
    const mail = await mailTo(admin);
    expect(mail.subject).toBe('a Bcc: bob@example.com');
    expect(mail.to).toEqual([admin.email]);
    expect(mail.html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(mail.html).not.toContain('<script>');
    expect((await feed())[0]?.body).toBe(text);
  });

  it('B9: an admin lists, previews with data, changes and deletes templates; a member cannot', async () => {
    expect((await call('GET', template('facture'))).status).toBe(404);
    for (const part of ['title', 'body']) {
      expect(faults(await call('PUT', template('facture'), { ...FR, [part]: undefined }))).toEqual([
        { pointer: `/${part}`, detail: 'is required in a message template' },
      ]);
    }
    expect((await call('GET', template('facture'))).status).toBe(404);
    await addFacture();
    expect((await call('PUT', template('facture'), { ...FR, title: '{{client}}' })).body.errors).toEqual([
      { pointer: '/title', detail: 'line 1, column 3: there is no field "client"' },
    ]);
    expect(faults(await call('PUT', template('facture'), { html: '<script>' }))).toEqual([
      { pointer: '/html', detail: 'line 1, column 1: <script> is not allowed' },
    ]);
    expect(faults(await call('PUT', template('facture'), { body: null }))[0]?.pointer).toBe('/body');
    expect(faults(await call('POST', `${template('nouvelle')}/preview`, { title: 'a' }))).toEqual([
      { pointer: '/body', detail: 'is required in a message template' },
    ]);
    const listed = (await call('GET', 'tenant/templates')).body as {
      data: { kind: string; locale: string }[];
    };
    expect(listed.data.filter(({ kind }) => kind.startsWith('message.'))).toMatchObject([
      { kind: 'message.facture', locale: 'en' },
      { kind: 'message.facture', locale: 'fr' },
    ]);
    const preview = await call('POST', `${template('facture')}/preview`, { data: DATA });
    expect(preview.body).toMatchObject({
      feed: { title: 'Facture de Garage Leroy, à payer avant le 30 novembre' },
      sms: { text: expect.stringMatching(/^Bonjour Claire,/) as string },
    });
    expect(faults(await call('POST', `${template('facture')}/preview`, { data: { lines: [] } }))).toEqual([
      { pointer: '/data/client', detail: 'is missing: the template prints it' },
      { pointer: '/data/due_on', detail: 'is missing: the template uses it with {{date}}' },
    ]);
    for (const name of ['Facture', 'a b', 'a..b', 'x'.repeat(61), '__proto__', '']) {
      expect((await call('PUT', template(encodeURIComponent(name)), FR)).status).toBe(404);
    }
    expect((await call('PUT', template('facture'), FR, english)).status).toBe(403);
    expect((await call('DELETE', template('facture'))).status).toBe(204);
    expect((await call('GET', template('facture'))).status).toBe(404);
    expect((await call('GET', template('facture', 'en'))).status).toBe(200);
  });

  it('V6: a message whose template is deleted before it is sent still has its words; a new one is refused', async () => {
    await addFacture();
    const answer = await post({ send_at: '2026-11-19T09:00:00Z' });
    const [{ id } = { id: '' }] = (answer.body as { notifications: MessageState[] }).notifications;
    // With one language left, the other is used; without any, the last is kept for this message.
    await call('DELETE', template('facture'));
    expect((await feed())[0]?.title).toBe('Invoice of Garage Leroy');
    await call('DELETE', template('facture', 'en'));
    await call('DELETE', template('facture', 'en'));
    expect((await feed())[0]?.title).toBe('Invoice of Garage Leroy');
    expect((await call('GET', `notifications/${id}`)).body).toMatchObject({
      title: 'Invoice of Garage Leroy',
    });
    expect((await call('GET', template('facture', 'en'))).status).toBe(404);
    expect(faults(await post())).toEqual([
      { pointer: '/template', detail: 'is not a message template of this tenant: there are none' },
    ]);
    // A new template of this name replaces it; an unused one is deleted for good.
    await call('PUT', template('facture'), { ...FR, title: 'Nouveau' });
    expect((await feed())[0]?.title).toBe('Nouveau');
    await call('PUT', template('inutile'), EN);
    await call('DELETE', template('inutile'));
    expect(
      await world.sql('SELECT DISTINCT kind FROM tenant_templates WHERE tenant_id = $1', [tenant.id]),
    ).toEqual([{ kind: 'message.facture' }]);
  });

  it('E1: a template that an upgrade breaks leaves its messages with its name, and is marked as broken', async () => {
    await addFacture();
    await post();
    await world.sql(
      `UPDATE tenant_templates SET source = '{{shout}' WHERE tenant_id = $1 AND part = 'title'`,
      [tenant.id],
    );
    await world.sql('UPDATE tenants SET wording_version = gen_random_uuid() WHERE id = $1', [tenant.id]);
    expect(await feed()).toMatchObject([{ title: 'facture', body: '' }]);
    const title = async () =>
      ((await call('GET', template('facture'))).body as TenantTemplateView).parts.title;
    await until('the mark', async () => (await title()).broken !== null);
    expect((await title()).broken?.reason).toMatch(/^line 1, column 1: /);
  });
});
