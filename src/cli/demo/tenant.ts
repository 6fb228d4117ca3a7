import { randomBytes } from 'node:crypto';
import { civilDate } from '../../platform/clock/civil-time.js';
import type { Api } from './api.js';
import type { MailCatcher } from './mail-catcher.js';
import type { Sample, SampleMonth, SampleTenant, SampleUser } from './sample-data.js';

export interface DemoUser {
  id: string;
  email: string;
  password: string;
  token: string;
  api: Api;
}

export interface DemoTenant {
  id: string;
  sample: SampleTenant;
  admin: DemoUser;
  users: DemoUser[];
}

/** The watched items of a tenant. */
export interface DemoMonth {
  tenant: DemoTenant;
  deadlines: number;
  documents: number;
  tasks: number;
  /** The number of facts that today's check must find, computed only from the dates. */
  expected: number;
}

export interface RunAnswer {
  run_id: string;
  state: string;
  counts: Record<string, number>;
}

const MAIL_WITHIN_MS = 30_000;

/** Creates a tenant as an operator would, and its users as a program would. */
export async function createTenant(
  anyone: Api,
  operator: Api,
  catcher: MailCatcher,
  sample: SampleTenant,
): Promise<DemoTenant> {
  const { slug, name, kind, time_zone, locale } = sample;
  const { id } = await operator.call<{ id: string }>('POST', 'tenants', {
    slug,
    name,
    kind,
    time_zone,
    locale,
  });
  const { key } = await operator.call<{ key: string }>('POST', `tenants/${id}/api-keys`, {
    name: 'Set-up',
    // The first user is an admin.
    scopes: ['users:write', 'admin'],
  });
  const users: DemoUser[] = [];
  for (const user of sample.users)
    users.push(await createUser(anyone, anyone.withKey(key), catcher, slug, user));
  const [admin] = users;
  if (admin === undefined) throw new Error(`${slug} has no admin`);
  return { id, sample, admin, users };
}

/** Enters the tenant's items, as its admin would. */
export async function loadMonth(tenant: DemoTenant, sample: SampleMonth): Promise<DemoMonth> {
  const { admin, users } = tenant;
  const members = users.filter((user) => user !== admin);
  const today = civilDate(new Date(), sample.time_zone);
  const [deadlines, documents, tasks] = [
    sample.deadlines(today),
    sample.documents(today),
    sample.tasks(today),
  ];
  await create(admin, members, 'deadlines', deadlines);
  await create(admin, members, 'documents', documents);
  await create(admin, members, 'tasks', tasks);
  return {
    tenant,
    deadlines: deadlines.length,
    documents: documents.length,
    tasks: tasks.length,
    expected:
      deadlines.filter(({ due_on }) => daysLeft(due_on, today) <= 7).length +
      documents.filter(({ due_on }) => daysLeft(due_on, today) <= 0).length +
      tasks.filter(({ due_on }) => daysLeft(due_on, today) < 0).length,
  };
}

/** Creates the user, reads the welcome mail, and sets the password with its link. */
async function createUser(
  anyone: Api,
  keyHolder: Api,
  catcher: MailCatcher,
  tenant: string,
  user: SampleUser,
): Promise<DemoUser> {
  const { id } = await keyHolder.call<{ id: string }>('POST', 'users', user);
  const mail = await catcher.waitFor(({ to }) => to.includes(user.email), MAIL_WITHIN_MS);
  const link = /https?:\/\/\S+\/password#token=([\w.-]+)/.exec(mail.text);
  if (link?.[1] === undefined) throw new Error(`the welcome mail of ${user.email} has no link`);
  const password = `demo-${randomBytes(9).toString('base64url')}`;
  await anyone.call('POST', 'auth/password', { token: link[1], password });
  const { access_token } = await anyone.call<{ access_token: string }>('POST', 'auth/login', {
    email: user.email,
    password,
    tenant,
  });
  return { id, email: user.email, password, token: access_token, api: anyone.withToken(access_token) };
}

/** Assigns the items to the members in turn; the admin is notified of unassigned ones. */
async function create(
  admin: DemoUser,
  members: readonly DemoUser[],
  path: string,
  samples: readonly Sample[],
) {
  for (const [position, sample] of samples.entries()) {
    const responsible = [...members, undefined][position % (members.length + 1)];
    await admin.api.call('POST', path, { ...sample, responsible_id: responsible?.id ?? null });
  }
}

function daysLeft(dueOn: string, today: string): number {
  return (Date.parse(dueOn) - Date.parse(today)) / 86_400_000;
}
