import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { addPerson, type Cast, createCast, type Person } from '../../../test/support/cast.js';
import { insertRow } from '../../../test/support/rows.js';
import { runJob } from '../../../test/support/watched.js';
import { createWorld, type World } from '../../../test/support/world.js';
import type { ScheduledJob } from '../../contracts/jobs.js';
import { type Reason, REASON_CODES, reasonDeclaration } from '../../contracts/reasons.js';
import { notify } from '../../notifications/alerts/notify.fixture.js';
import { FixedClock } from '../../platform/clock/fixed-clock.js';
import type { NotificationTrace as Trace } from '../../notifications/trace/trace.dto.js';
import type { Why } from './why.dto.js';

/** Monday 30 March 2026, 09:00 in Paris. */
const MORNING = '2026-03-30T07:00:00Z';
const LATER = '2026-03-30T12:00:00Z';

/** The words of a reason in each language: operators read the tenant's. */
const WORDS = ['en', 'fr'].map(
  (locale) => JSON.parse(readFileSync(`templates/${locale}/reasons.json`, 'utf8')) as Record<Reason, string>,
);

const clock = new FixedClock(MORNING);
let world: World;
let cast: Cast;
/** Responsible for the items; has a phone number, and no device. */
let claire: Person;
/** A member who has nothing to do with them. */
let bob: Person;

beforeAll(async () => {
  world = await createWorld({
    clock,
    env: { SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example', SMS_PROVIDER: 'console' },
  });
  cast = await createCast(world);
  claire = await addPerson(world, cast.tenant_id, { name: 'Claire' });
  bob = cast.teammate;
  await world.sql(`UPDATE users SET phone = '+33612345678' WHERE id = $1`, [claire.id]);
  await world.sql(`UPDATE users SET locale = 'en' WHERE id = $1`, [cast.admin.id]);
});
afterAll(() => world.close());

const ask = (query: Record<string, string>, token: string = cast.admin.token) =>
  world.http('GET', `/api/v1/admin/why?${new URLSearchParams(query).toString()}`, { token });
const why = async (query: Record<string, string>): Promise<Why> => {
  const { status, body, text } = await ask(query);
  if (status !== 200) throw new Error(text);
  return body as Why;
};
const ofClaire = (fact: string) => why({ user: claire.id, fact });

interface Said {
  reason: Reason;
  text: string;
}

/** The part of an answer about each fact and channel, and why nothing follows. */
function verdictsOf({ facts }: Why): Said[] {
  return facts.flatMap((fact) => [fact, ...fact.channels, ...(fact.again === null ? [] : [fact.again])]);
}

/** The same, and all steps. */
function stepsOf(answer: Why): Said[] {
  const steps = answer.facts.flatMap((fact) => [fact, ...fact.channels].flatMap((one) => one.steps));
  return [...steps, ...verdictsOf(answer)];
}

const deadline = (fields: object = {}) =>
  insertRow(world, 'deadlines', {
    ...{ tenant_id: cast.tenant_id, title: 'TVA CA3', due_on: '2026-04-01', responsible_id: claire.id },
    ...fields,
  });

/** Runs a job as at the time of the clock, also in the ledger. */
async function run(job: ScheduledJob = 'check-notifications'): Promise<void> {
  await runJob(world, cast.tenant_id, job);
  await world.sql(`UPDATE job_runs SET created_at = started_at, due_at = started_at WHERE started_at = $1`, [
    clock.now(),
  ]);
}

/** A deadline that was announced to Claire. @returns its id */
async function announced(fields: object = {}): Promise<string> {
  const id = await deadline(fields);
  await run();
  return id;
}

/** Changes the delivery of an item's newest notification on a channel. */
async function delivery(item: string, set: string, channel = 'email'): Promise<string> {
  const [row] = await world.sql<{ id: string }>(
    `UPDATE deliveries SET ${set} WHERE channel = $2 AND notification_id IN (
       SELECT n.id FROM notifications n JOIN alerts a ON a.id = n.alert_id WHERE a.source_id = $1
       ORDER BY n.created_at DESC LIMIT 1) RETURNING id`,
    [item, channel],
  );
  return row!.id;
}

const ENDED = `ended_at = '${LATER}'`;

async function event(item: string, event: string, fields: object = {}): Promise<string> {
  const delivery_id = await delivery(item, 'attempts = attempts');
  await world.sql(
    `INSERT INTO delivery_events (tenant_id, delivery_id, event, attempt, reason, until, error, at)
     SELECT $1, $2, $3, coalesce((f ->> 'attempt')::integer, 0), f ->> 'reason', (f ->> 'until')::timestamptz,
            f ->> 'error', coalesce((f ->> 'at')::timestamptz, $5)
     FROM (SELECT $4::jsonb AS f) g`,
    [cast.tenant_id, delivery_id, event, JSON.stringify(fields), LATER],
  );
  return item;
}

/** A provider's report on a sent mail. @returns the item */
async function reported(name: string, bounce: string | null = null): Promise<string> {
  const item = await announced();
  const id = await delivery(item, `state = 'sent', attempts = 1, sent_at = '${LATER}', ${ENDED}`);
  await world.sql(
    `INSERT INTO provider_events (tenant_id, delivery_id, provider, event_key, event, bounce, detail, at, received_at)
     VALUES ($1, $2, 'ses', $3, $4, $5, 'mailbox unknown', $6, $6)`,
    [cast.tenant_id, id, randomUUID(), name, bounce, LATER],
  );
  return item;
}

/** Waits for a reason that its hours or limits gave. */
async function deferred(reason: string): Promise<Why> {
  const item = await announced();
  await delivery(item, `due_at = '${LATER}', defer_reason = '${reason}'`);
  return ofClaire(item);
}

/** Ended without being sent. */
async function suppressed(reason: string): Promise<Why> {
  const item = await announced();
  await delivery(item, `state = 'suppressed', reason = '${reason}', ${ENDED}`);
  return ofClaire(item);
}

/** Claire's choice while an item is announced, or later. */
async function chosen<Result>(
  choices: readonly { kind?: string; channel: string; enabled: boolean; by?: 'tenant' }[],
  work: () => Promise<Result>,
): Promise<Result> {
  for (const { kind = 'deadline_near', channel, enabled, by } of choices) {
    await (by === 'tenant'
      ? insert('tenant_preferences', { tenant_id: cast.tenant_id, kind, channel, enabled })
      : insert('preferences', { tenant_id: cast.tenant_id, user_id: claire.id, kind, channel, enabled }));
  }
  try {
    return await work();
  } finally {
    await world.sql(`DELETE FROM preferences`);
    await world.sql(`DELETE FROM tenant_preferences`);
  }
}

async function insert(table: string, row: Record<string, unknown>): Promise<void> {
  const names = Object.keys(row);
  await world.sql(
    `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map((_name, at) => `$${at + 1}`).join(', ')})`,
    Object.values(row),
  );
}

/** An address that is stopped while the question is asked. */
async function stopped(reason: string): Promise<Why> {
  await insert('stopped_addresses', {
    ...{ tenant_id: cast.tenant_id, channel: 'email', address: claire.email, reason, since: MORNING },
  });
  const answer = await ofClaire(await announced());
  await world.sql(`DELETE FROM stopped_addresses`);
  return answer;
}

async function alertOf(item: string, set: string): Promise<string> {
  await world.sql(`UPDATE alerts SET ${set} WHERE source_id = $1`, [item]);
  return item;
}

async function channelIs(set: string): Promise<Why> {
  const item = await announced();
  await world.sql(`UPDATE channels SET ${set} WHERE channel = 'email'`);
  const answer = await ofClaire(item);
  await world.sql(
    `UPDATE channels SET paused = false, down_since = NULL, down_cause = NULL, down_detail = NULL, next_probe_at = NULL`,
  );
  return answer;
}

async function endpoint(fields: object = {}): Promise<string> {
  return insertRow(world, 'webhook_endpoints', {
    ...{ tenant_id: cast.tenant_id, url: 'secret', url_shown: `https://hooks.example/${randomUUID()}` },
    ...{ format: 'slack', state_since: MORNING, created_at: MORNING },
    ...fields,
  });
}

/** An item that is announced to an endpoint. */
async function ofEndpoint(fields: object, change = ''): Promise<Why> {
  const id = await endpoint(fields);
  const item = await announced();
  if (change !== '') await world.sql(`${change} WHERE id = $1`, [id]);
  const answer = await why({ address: id, fact: item });
  await world.sql(`DELETE FROM webhook_endpoints`);
  return answer;
}

/** A reported event. @returns its key */
async function happened(fields: object = {}): Promise<string> {
  const key = randomUUID();
  const body = {
    kind: 'disk',
    title: 'Disk full',
    body: '1 %',
    severity: 'warning',
    dedupe_key: key,
    ...fields,
  };
  const answer = await world.http('POST', '/api/v1/events', { token: cast.admin.token, body });
  if (answer.status !== 201) throw new Error(answer.text);
  return key;
}

/** A backup that is watched. */
const backup = () =>
  insertRow(world, 'backup_jobs', {
    ...{ tenant_id: cast.tenant_id, agent_id: `srv-${randomUUID()}`, database_name: 'compta' },
    ...{ company_name: 'Boulangerie Petit', city: 'Lyon', expected_time: '02:15', days_of_week: [1, 2, 3] },
    ...{ grace_minutes: 120, expected_after: MORNING, created_at: MORNING, updated_at: MORNING },
  });

/** An incident of a backup. @returns the id of the backup */
async function incident(): Promise<string> {
  const id = await backup();
  await insertRow(world, 'alerts', {
    ...{ tenant_id: cast.tenant_id, kind: 'backup_alert', severity: 'critical', source_type: 'backup_job' },
    ...{ source_id: id, dedupe_key: `backup:${id}:MISSING`, first_seen_at: MORNING, last_seen_at: MORNING },
    ...{ data: { job_id: id, verdict: 'MISSING' }, last_notified_at: MORNING },
  });
  return id;
}

/** A notification of an incident to Claire, `hours` after it was opened. @returns the backup */
async function notifiedOf(item: string, fields: object = {}): Promise<string> {
  const [alert] = await world.sql<{ id: string }>(`SELECT id FROM alerts WHERE source_id = $1`, [item]);
  await insertRow(world, 'notifications', {
    ...{ tenant_id: cast.tenant_id, recipient: `user:${claire.id}`, user_id: claire.id, alert_id: alert!.id },
    ...{ dedupe_key: randomUUID(), kind: 'backup_alert', severity: 'critical', audience: 'alert_recipient' },
    ...{ data: { job_id: item, verdict: 'MISSING' }, created_at: LATER },
    ...fields,
  });
  return item;
}

const messageTo = (body: object) =>
  world
    .http('POST', '/api/v1/notifications', {
      token: cast.admin.token,
      body: { channel: 'email', subject: 'Relance', body: 'Bonjour', ...body },
    })
    .then((answer) => {
      if (answer.status !== 202) throw new Error(answer.text);
      return (answer.body as { notifications: { id: string }[] }).notifications[0]!.id;
    });

const CASES: Readonly<Record<Reason, () => Promise<Why>>> = {
  checked: async () => ofClaire(await announced()),
  written: async () => why({ user: cast.admin.id, fact: await happened() }),
  nothing_recorded: async () => ofClaire(await backup()),
  not_checked_yet: async () => ofClaire(await deadline()),
  check_failed: async () => {
    const item = await deadline();
    const id = await insertRow(world, 'job_runs', {
      ...{
        tenant_id: cast.tenant_id,
        job: 'check-notifications',
        state: 'failed',
        error: 'deadlock detected',
      },
      ...{ due_at: LATER, created_at: LATER, started_at: LATER, finished_at: LATER },
    });
    const answer = await ofClaire(item);
    await world.sql(`DELETE FROM job_runs WHERE id = $1`, [id]);
    expect(answer.facts[0]?.steps[0]?.detail).toBe('deadlock detected');
    return answer;
  },
  tenant_suspended: async () => {
    const item = await announced();
    await world.sql(`UPDATE tenants SET suspended_at = $2 WHERE id = $1`, [cast.tenant_id, MORNING]);
    const { body } = await ask(
      { user: claire.id, fact: item, tenant: cast.tenant.slug },
      cast.operator.token,
    );
    await world.sql(`UPDATE tenants SET suspended_at = NULL`);
    return body as Why;
  },

  fact_holds: async () => ofClaire(await announced()),
  not_due_yet: async () => {
    const answer = await ofClaire(await deadline({ due_on: '2026-06-15' }));
    // Seven days before it, at midnight in Paris.
    expect(answer.facts[0]).toMatchObject({ until: '2026-06-07T22:00:00.000Z', path: '/settings#stages' });
    return answer;
  },
  item_ended: async () => ofClaire(await deadline({ status: 'done', completed_at: MORNING })),
  fact_gone: async () => {
    const item = await announced();
    await world.http('POST', `/api/v1/deadlines/${item}/complete`, { token: cast.admin.token });
    return ofClaire(item);
  },

  opened: async () => ofClaire(await announced()),
  stage_reached: async () => {
    const item = await announced({ due_on: '2026-04-04' });
    clock.set(new Date('2026-04-01T07:00:00Z'));
    await run();
    clock.set(new Date(MORNING));
    return ofClaire(item);
  },
  repeated: async () => ofClaire(await notifiedOf(await incident())),
  already_notified: async () => {
    const answer = await ofClaire(await announced({ due_on: '2026-04-04' }));
    // The next stage is three days before it.
    expect(answer.facts[0]?.again).toMatchObject({ until: '2026-03-31T22:00:00.000Z' });
    return answer;
  },
  stage_sent: async () => {
    const item = await announced();
    // Its alert was ended and opened again: the stage was announced before.
    await world.sql(
      `UPDATE alerts SET gone_at = now(), resolved_at = now(), state = 'resolved' WHERE source_id = $1`,
      [item],
    );
    await delivery(item, `state = 'sent', sent_at = '${MORNING}', ${ENDED}`);
    clock.set(new Date(LATER));
    await run();
    clock.set(new Date(MORNING));
    return ofClaire(item);
  },
  superseded: () => suppressed('superseded'),
  acknowledged: async () => ofClaire(await alertOf(await announced(), `acknowledged_at = '${MORNING}'`)),
  snoozed: async () => ofClaire(await alertOf(await announced(), `snoozed_until = '2026-04-02'`)),
  resolved: async () =>
    ofClaire(await alertOf(await announced(), `state = 'resolved', resolved_at = '${MORNING}'`)),

  responsible: async () => ofClaire(await announced()),
  unassigned: async () => why({ user: cast.admin.email, fact: await announced({ responsible_id: null }) }),
  alert_recipient: async () => ofClaire(await notifiedOf(await incident())),
  addressed: async () => ofClaire(await messageTo({ user_ids: [claire.id] })),
  self: async () => ofClaire(await notify(world, claire)),
  endpoint: () => ofEndpoint({}),
  not_responsible: async () => why({ user: bob.id, fact: await announced() }),
  not_admin: async () => ofClaire(await announced({ responsible_id: null })),
  not_alert_recipient: async () => ofClaire(await incident()),
  not_addressed: async () => ofClaire(await happened({ user_ids: [cast.admin.id] })),
  recipient_later: async () => {
    const item = await announced();
    await world.sql(`UPDATE deadlines SET responsible_id = $2 WHERE id = $1`, [item, bob.id]);
    return why({ user: bob.id, fact: item });
  },
  endpoint_kinds: () => ofEndpoint({ kinds: ['event'] }),
  user_erased: async () => {
    const dora = await addPerson(world, cast.tenant_id, { name: 'Dora' });
    const item = await announced({ responsible_id: dora.id });
    await world.http('DELETE', `/api/v1/users/${dora.id}`, { token: cast.admin.token });
    return why({ user: dora.id, fact: item });
  },

  on_by_user: () => chosen([{ channel: 'sms', enabled: true }], async () => ofClaire(await announced())),
  on_by_tenant: () =>
    chosen([{ channel: 'sms', enabled: true, by: 'tenant' }], async () => ofClaire(await announced())),
  channel_chosen: async () =>
    ofClaire(await messageTo({ channel: 'sms', user_ids: [claire.id], subject: undefined })),
  on_by_default: async () => ofClaire(await announced()),
  always_sent: async () => ofClaire(await notify(world, claire, { kind: 'password_changed' })),
  critical: () =>
    chosen([{ kind: 'event', channel: 'email', enabled: false }], async () =>
      ofClaire(await notify(world, claire, { severity: 'critical' })),
    ),
  on_then: async () => {
    const item = await announced();
    return chosen([{ channel: 'email', enabled: false }], () => ofClaire(item));
  },
  preference: () => chosen([{ channel: 'email', enabled: false }], async () => ofClaire(await announced())),
  tenant_preference: () =>
    chosen([{ channel: 'email', enabled: false, by: 'tenant' }], async () => ofClaire(await announced())),
  kind_off: async () => ofClaire(await announced()),
  turned_on_later: async () => {
    const item = await announced();
    return chosen([{ channel: 'sms', enabled: true }], () => ofClaire(item));
  },
  channel_unsuited: async () => ofClaire(await notify(world, claire, { kind: 'password_changed' })),

  address_known: async () => ofClaire(await announced()),
  no_address: () =>
    chosen([{ channel: 'sms', enabled: true, by: 'tenant' }], async () =>
      why({ user: bob.id, fact: await announced({ responsible_id: bob.id }) }),
    ),
  no_device: async () => ofClaire(await announced()),
  // The stop was lifted since: its cause is no longer known.
  address_stopped: () => suppressed('address_stopped'),
  address_bounced: () => stopped('hard_bounce'),
  address_complained: () => stopped('complaint'),
  address_opted_out: () => stopped('stop'),
  endpoint_disabled: () => ofEndpoint({ state: 'disabled', state_reason: 'admin' }),
  endpoint_deleted: async () => {
    const id = await endpoint();
    const item = await announced();
    await world.http('DELETE', `/api/v1/tenant/webhooks/${id}`, { token: cast.admin.token });
    return why({ address: id, fact: item });
  },
  link_ended: () => suppressed('link_ended'),

  send_at: () => deferred('send_at'),
  operating_hours: () => deferred('operating_hours'),
  quiet_hours: () => deferred('quiet_hours'),
  user_paused: () => deferred('user_paused'),
  limit_per_user_per_hour: () => deferred('limit_per_user_per_hour'),
  limit_per_user_per_day: () => deferred('limit_per_user_per_day'),
  limit_per_tenant_per_hour: () => deferred('limit_per_tenant_per_hour'),
  limit_per_tenant_per_day: () => deferred('limit_per_tenant_per_day'),
  limit_per_channel_per_minute: () => deferred('limit_per_channel_per_minute'),

  bundled: async () => {
    const items = [await deadline(), await deadline()];
    await run();
    const bundle = randomUUID();
    for (const item of items)
      await delivery(item, `state = 'sent', bundle_id = '${bundle}', sent_at = '${LATER}', ${ENDED}`);
    const answer = await ofClaire(items[0]!);
    const step = answer.facts[0]?.channels[0]?.steps.find(({ reason }) => reason === 'bundled');
    expect(step).toMatchObject({ count: 2, path: `/notifications?bundle_id=${bundle}` });
    return answer;
  },

  channel_not_configured: () =>
    chosen([{ channel: 'push', enabled: true }], async () => ofClaire(await announced())),
  channel_off: async () => {
    const off = await createWorld({
      clock,
      join: world,
      env: { SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'vigie@vigie.example', EMAIL_ENABLED: 'false' },
    });
    const query = new URLSearchParams({ user: claire.id, fact: await announced() });
    const { body } = await off.http('GET', `/api/v1/admin/why?${query.toString()}`, {
      token: cast.admin.token,
    });
    await off.close();
    return body as Why;
  },
  channel_up: async () => ofClaire(await announced()),
  channel_down: async () => {
    const answer = await channelIs(
      `down_since = '${MORNING}', down_cause = 'login', down_detail = '535 refused', next_probe_at = '${LATER}'`,
    );
    expect(answer.facts[0]?.channels[0]?.steps.at(-1)).toMatchObject({ detail: '535 refused' });
    return answer;
  },
  paused: () => channelIs('paused = true'),
  queued: async () => ofClaire(await announced()),
  purged: async () => {
    const item = await announced();
    await delivery(item, `state = 'cancelled', reason = 'purged', ${ENDED}`);
    return ofClaire(item);
  },
  discarded: async () => {
    const item = await announced();
    await delivery(item, `state = 'cancelled', reason = 'discarded', ${ENDED}`);
    return ofClaire(await event(item, 'cancelled', { reason: 'discarded' }));
  },
  expired: async () => {
    const item = await announced();
    await delivery(item, `state = 'failed', reason = 'expired', ${ENDED}`);
    return ofClaire(await event(item, 'failed', { reason: 'expired' }));
  },

  sending: async () => {
    const item = await announced();
    await delivery(
      item,
      `state = 'sending', attempts = 1, lease_token = gen_random_uuid(), lease_until = '2027-01-01'`,
    );
    return ofClaire(item);
  },
  retry: async () => {
    const item = await event(await announced(), 'retried', {
      attempt: 1,
      reason: 'retry',
      error: '451 later',
    });
    const answer = await ofClaire(item);
    const step = answer.facts[0]?.channels[0]?.steps.find(({ reason }) => reason === 'retry');
    expect(step).toMatchObject({ attempt: 1, detail: '451 later', at: new Date(LATER).toISOString() });
    return answer;
  },
  lease_expired: async () =>
    ofClaire(await event(await announced(), 'requeued', { reason: 'lease_expired' })),
  restored: async () => ofClaire(await event(await announced(), 'reset', { reason: 'restored' })),
  retried_by_operator: async () =>
    ofClaire(await event(await announced(), 'reset', { reason: 'retried_by_operator' })),
  replayed: async () => ofClaire(await event(await announced(), 'reset', { reason: 'replayed' })),
  failed: async () => {
    const item = await announced();
    await delivery(item, `state = 'failed', attempts = 3, error = '550 no such user', ${ENDED}`);
    const answer = await ofClaire(item);
    expect(answer.facts[0]?.channels[0]?.steps.at(-1)).toMatchObject({
      attempt: 3,
      detail: '550 no such user',
    });
    return answer;
  },
  unknown: async () => {
    const item = await announced();
    await delivery(item, `state = 'unknown', attempts = 1, ambiguities = 1, ${ENDED}`);
    return ofClaire(item);
  },
  in_inbox: async () => {
    const item = await announced();
    await world.sql(`DELETE FROM deliveries`);
    return ofClaire(item);
  },
  sent: async () => {
    const item = await announced();
    await delivery(item, `state = 'sent', attempts = 1, sent_at = '${LATER}', ${ENDED}`);
    return ofClaire(item);
  },

  delivered: async () => ofClaire(await reported('delivered')),
  delayed: async () => ofClaire(await reported('bounced', 'soft')),
  bounced: async () => ofClaire(await reported('bounced', 'hard')),
  complained: async () => ofClaire(await reported('complained')),
  opted_out: async () => ofClaire(await reported('stopped')),
  opted_in: async () => ofClaire(await reported('started')),
};

/** Steps that others follow, although the message waited or ended there. */
const PASSED: readonly Reason[] = ['retry', 'lease_expired', 'not_checked_yet', 'check_failed'];

describe('E13: a trace for every reason', () => {
  it.each(REASON_CODES)('E13: %s', async (reason) => {
    clock.set(new Date(MORNING));
    const answer = await CASES[reason]();
    const steps = stepsOf(answer);
    expect(steps.map((one) => one.reason)).toContain(reason);
    expect(WORDS.map((words) => words[reason])).toContain(steps.find((one) => one.reason === reason)?.text);
    // What ends it, or what it waits for, is what the answer says first.
    if (reasonDeclaration(reason)?.outcome !== 'continues' && !PASSED.includes(reason))
      expect(verdictsOf(answer).map((verdict) => verdict.reason)).toContain(reason);
  });
});

describe('GET admin/why', () => {
  beforeEach(() => clock.set(new Date(MORNING)));

  it('E13: is for admins of the tenant, and for operators who name it', async () => {
    const query = { user: claire.email, fact: await announced() };
    const status = async (more: object, token?: string) => {
      const { status: code, body } = await world.http(
        'GET',
        `/api/v1/admin/why?${new URLSearchParams({ ...query, ...more }).toString()}`,
        token === undefined ? {} : { token },
      );
      return [code, (body as { code?: string }).code ?? (body as Why).facts[0]?.reason];
    };
    const { slug } = cast.tenant;
    expect(await status({}, cast.admin.token)).toEqual([200, 'queued']);
    expect(await status({ tenant: slug }, cast.operator.token)).toEqual([200, 'queued']);
    expect(await status({}, cast.operator.token)).toEqual([400, 'validation_failed']);
    expect(await status({}, claire.token)).toEqual([403, 'forbidden']);
    expect(await status({})).toEqual([401, 'unauthenticated']);
    // Neither names the tenant's people to admins of others, nor its slug.
    expect(await status({}, cast.outsider.token)).toEqual([404, 'not_found']);
    expect(await status({ tenant: slug }, cast.outsider.token)).toEqual([404, 'not_found']);
  });

  it('E13: answers the same for unknown people as for those of other tenants', async () => {
    const texts = await Promise.all(
      [randomUUID(), cast.outsider.id, cast.outsider.email, 'nobody@example.com'].map(
        async (user) => (await ask({ user, fact: 'tva' })).text,
      ),
    );
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]).toContain('not_found');
  });

  it.each([
    [{ fact: 'tva' }, '/user'],
    [{ user: 'a@b.fr', address: 'a@b.fr' }, '/user'],
    [{ address: 'rue de la Paix' }, '/address'],
    [{ user: 'a@b.fr', fact: 'x'.repeat(301) }, '/fact'],
    [{ user: 'a@b.fr', fact: '\u0000' }, '/fact'],
    [{ user: 'a@b.fr', since: '2026' }, '/since'],
  ])('E13: refuses %j', async (query, pointer) => {
    const { status, body } = await ask(query);
    expect([status, (body as { errors: { pointer: string }[] }).errors[0]?.pointer]).toEqual([400, pointer]);
  });

  it('E13: finds a part of a title, open items first, and says that there are more', async () => {
    const done = await deadline({ title: 'Liasse Été', status: 'done', completed_at: MORNING });
    const open = await deadline({ title: 'LIASSE été' });
    const { facts, more } = await ofClaire('liasse ete');
    expect(facts.map(({ item }) => item?.id)).toEqual([open, done]);
    expect(more).toBe(false);
    for (let item = 0; item < 4; item += 1) await deadline({ title: `Liasse d'été ${item}` });
    expect(await ofClaire('été')).toMatchObject({ facts: { length: 5 }, more: true });
    // Signs of patterns have no special meaning.
    expect((await ofClaire('%%')).facts).toEqual([]);
  });

  it('E13: lists the checks that ran, and what they need, where nothing is recorded', async () => {
    await run();
    const { facts, checks, needs } = await ofClaire('a deadline that nobody entered');
    expect(facts).toEqual([]);
    const check = checks.find(({ job }) => job === 'check-notifications');
    expect(check?.runs[0]).toMatchObject({ state: 'succeeded', error: null });
    expect(check?.runs[0]?.counts).toHaveProperty('facts');
    expect(needs).toContainEqual({ kind: 'deadline_near', stages: [7, 3, 1, 0, -1] });
  });

  it('E13: explains an address alone, of a user or of nobody', async () => {
    const item = await announced();
    const user = await why({ address: claire.email.toUpperCase(), fact: item });
    expect(user.recipient).toMatchObject({ user_id: claire.id, name: 'Claire' });
    expect(user.facts[0]?.reason).toBe('queued');
    const phone = await why({ address: '+33 6 12 34 56 78', fact: item });
    expect(phone.recipient.user_id).toBe(claire.id);
    const nobody = await why({ address: 'accountant@elsewhere.example', fact: item });
    expect(nobody.recipient).toMatchObject({
      user_id: null,
      recipients: ['mailto:accountant@elsewhere.example'],
    });
    expect(nobody.facts[0]?.reason).toBe('not_responsible');
    const message = await messageTo({ to: 'accountant@elsewhere.example' });
    const latest = await why({ address: 'accountant@elsewhere.example' });
    expect(latest.facts.map(({ notification_id }) => notification_id)).toEqual([message]);
  });

  it('E13: finds a webhook by its URL, of which only the host is stored, unless several lead there', async () => {
    const id = await endpoint({ url_shown: 'https://hooks.firm.example/…' });
    const query = { address: 'https://hooks.firm.example/catch/token', fact: await announced() };
    expect((await why(query)).recipient.recipients).toEqual([`webhook:${id}`]);
    await endpoint({ url_shown: 'https://hooks.firm.example/…' });
    expect(await ask(query)).toMatchObject({ status: 400, body: { errors: [{ pointer: '/address' }] } });
    await world.sql(`DELETE FROM webhook_endpoints`);
  });

  it('E13: gives the run, the fact, the alert and the person in the order in which they were decided', async () => {
    const item = await announced();
    const { facts } = await ofClaire(item);
    expect(facts[0]?.steps.map(({ step, reason }) => [step, reason])).toEqual([
      ['check', 'checked'],
      ['fact', 'fact_holds'],
      ['alert', 'opened'],
      ['recipient', 'responsible'],
    ]);
    expect(facts[0]?.steps[0]?.run).toMatchObject({ job: 'check-notifications', state: 'succeeded' });
    expect(facts[0]?.steps[3]?.path).toBe(`/items/deadline/${item}`);
    expect(facts[0]?.channels.map(({ channel, reason }) => [channel, reason])).toEqual([
      ['email', 'queued'],
      ['sms', 'kind_off'],
      ['push', 'no_device'],
    ]);
  });

  it('E13: writes nothing', async () => {
    const item = await announced();
    const count = () =>
      world.sql(`SELECT (SELECT count(*) FROM notifications) n, (SELECT count(*) FROM alerts) a`);
    const before = await count();
    await ofClaire(item);
    expect(await count()).toEqual(before);
  });
});

describe('GET notifications/{id}/trace', () => {
  it('C10: has the same steps, without settings that a member cannot open', async () => {
    const item = await announced();
    const [fact] = (await ofClaire(item)).facts;
    const trace = (token: string) =>
      world.http('GET', `/api/v1/notifications/${fact!.notification_id}/trace`, { token });
    const own = (await trace(claire.token)).body as Trace;
    expect(own.steps.map(({ reason }) => reason)).toEqual(fact!.steps.map(({ reason }) => reason));
    expect(own.deliveries[0]?.steps.map(({ reason }) => reason)).toEqual(
      fact!.channels[0]?.steps.map(({ reason }) => reason),
    );
    expect(own.not_used.map(({ channel, reason }) => [channel, reason])).toEqual([
      ['sms', 'kind_off'],
      ['push', 'no_device'],
    ]);
    expect(own.again).toMatchObject({ reason: 'already_notified' });
    const paths = ({ steps, not_used, again }: Trace) =>
      [...steps, ...not_used.flatMap((one) => one.steps), again].flatMap((step) => step?.path ?? []);
    expect(paths(own).filter((path) => /^\/(settings|operator)/.test(path))).toEqual([]);
    expect(paths((await trace(cast.admin.token)).body as Trace)).toContain('/settings#preferences');
    // In the language of its reader.
    expect(own.steps[3]?.text).toBe('le destinataire est responsable de l’élément');
  });
});
