import { spawnSync } from 'node:child_process';
import { addTenant, type Cast, createCast } from '../../test/support/cast.js';
import { tokenOf } from '../../test/support/links.js';
import { createWorld, environmentOf, type World } from '../../test/support/world.js';
import { completionScript } from './completion.js';
import { UsageError } from './exit-codes.js';
import { notify } from '../notifications/alerts/notify.fixture.js';
import { actOnDeadLetters, listDeadLetters } from './dead-letters.js';
import { createKey, listKeys, revokeKey } from './keys.js';
import { createProgram } from './program.js';
import { runJobNow } from './run.js';
import { createUser, listUsers, resetUserPassword } from './users.js';

/** E13: the commands that do what REST offers, through the same services. */

const NEW = 'a phrase that only I know';
let world: World;
let cast: Cast;
let environment: Record<string, string>;
let tenant: string;

beforeAll(async () => {
  world = await createWorld({ env: { VIGIE_ROLES: 'web,worker' } });
  cast = await createCast(world);
  environment = environmentOf(world);
  tenant = cast.tenant.slug;
});
afterAll(() => world.close());

const audited = (action: string) =>
  world.sql(`SELECT actor, actor_kind, status, tenant_id FROM audit_log WHERE action = $1`, [action]);
const BY_CLI = { actor: 'cli', actor_kind: 'cli', status: 200 };
const linkIn = (text: string) => /http\S+#token=\S+/.exec(text)![0];

describe('vigie users', () => {
  it('E13: creates a user, who sets a password with the printed link; the act is audited', async () => {
    const text = await createUser(environment, 'Nina@Firm.example', { tenant, role: 'admin' });
    const body = { token: tokenOf(linkIn(text)), password: NEW };
    expect((await world.http('POST', '/api/v1/auth/password', { body })).status).toBe(204);
    const users = JSON.parse(await listUsers(environment, { tenant, json: true })) as object[];
    expect(users.at(-1)).toMatchObject({
      email: 'Nina@firm.example',
      name: 'Nina',
      role: 'admin',
      active: true,
    });
    expect(await listUsers(environment, { tenant })).toMatch(/^email +name +role +since +state\n/);
    expect(await audited('vigie users create')).toEqual([{ ...BY_CLI, tenant_id: cast.tenant.id }]);
  });

  it('E13: prints a link for a new password, which ends the link before it', async () => {
    const email = 'nina@firm.example';
    const first = await resetUserPassword(environment, email, { tenant });
    const { link } = JSON.parse(await resetUserPassword(environment, email, { tenant, json: true })) as {
      link: { url: string };
    };
    const use = async (url: string) =>
      (
        await world.http('POST', '/api/v1/auth/password', {
          body: { token: tokenOf(url), password: `${NEW} now` },
        })
      ).status;
    expect(link.url).toContain(`&tenant=${tenant}`);
    expect(await use(linkIn(first))).toBe(410);
    expect(await use(link.url)).toBe(204);
    expect(await audited('vigie users reset-password')).toHaveLength(2);
  });

  it('E13: refuses in plain words a taken address, another tenant, an unknown role', async () => {
    const create = (email: string, more: object = {}) => createUser(environment, email, { tenant, ...more });
    await expect(create('nina@firm.example')).rejects.toThrow('email is the address of another user');
    await expect(create('a@b.example', { tenant: 'nobody' })).rejects.toThrow('there is no tenant nobody');
    await expect(create('a@b.example', { role: 'king' })).rejects.toThrow(UsageError);
    await expect(create('not an address')).rejects.toThrow(/^the address/);
    const elsewhere = resetUserPassword(environment, 'nina@firm.example', { tenant: cast.other.tenant.slug });
    await expect(elsewhere).rejects.toThrow('there is no user nina@firm.example');
  });
});

describe('vigie keys', () => {
  it('E13: creates a key, prints it once, lists it without a secret, revokes it', async () => {
    const made = await createKey(environment, 'ERP', { tenant, scope: ['users:read'], json: true });
    const { id, key } = JSON.parse(made) as { id: string; key: string };
    const list = () => world.http('GET', '/api/v1/users', { headers: { 'x-api-key': key } });
    expect((await list()).status).toBe(200);
    for (const text of [
      await listKeys(environment, { tenant }),
      await listKeys(environment, { tenant, json: true }),
    ]) {
      expect(text).toContain(id);
      expect(text).not.toContain(key);
      expect(text).not.toContain('hash');
    }
    await revokeKey(environment, id, { tenant });
    expect((await list()).status).toBe(401);
    expect(await listKeys(environment, { tenant })).toContain('revoked');
    for (const act of ['vigie keys create', 'vigie keys revoke'])
      expect(await audited(act)).toEqual([{ ...BY_CLI, tenant_id: cast.tenant.id }]);
  });

  it('E13: refuses an unknown scope, and a key of another tenant', async () => {
    const create = createKey(environment, 'ERP', { tenant, scope: ['all'] });
    await expect(create).rejects.toThrow(UsageError);
    const { id } = JSON.parse(
      await createKey(environment, 'Other', { tenant, scope: ['users:read'], json: true }),
    ) as { id: string };
    const revoke = revokeKey(environment, id, { tenant: cast.other.tenant.slug });
    await expect(revoke).rejects.toThrow(/^Not found$/);
  });
});

describe('vigie run', () => {
  it('E13: runs a job on the workers, waits for it and prints its outcome', async () => {
    const { text, ok } = await runJobNow(environment, 'update-statuses', { tenant, wait: true, json: true });
    expect([ok, JSON.parse(text)]).toEqual([
      true,
      { runs: [expect.objectContaining({ tenant_id: cast.tenant.id, state: 'succeeded' })] },
    ]);
    const [run] = await world.sql(`SELECT triggered_by FROM job_runs WHERE tenant_id = $1`, [cast.tenant.id]);
    expect(run).toEqual({ triggered_by: 'cli' });
    expect(await audited('vigie run')).toEqual([{ ...BY_CLI, tenant_id: cast.tenant.id }]);
    expect((await runJobNow(environment, 'dispatch', { json: true })).ok).toBe(true);
  });

  it('E13: refuses an unknown job and a suspended tenant', async () => {
    await expect(runJobNow(environment, 'nonsense', {})).rejects.toThrow(
      /^there is no job nonsense; the jobs are check-notifications/,
    );
    const { id, slug } = await addTenant(world);
    await world.sql(`UPDATE tenants SET suspended_at = now() WHERE id = $1`, [id]);
    await expect(runJobNow(environment, 'cleanup', { tenant: slug })).rejects.toThrow('is suspended');
  });
});

describe('vigie dead-letters', () => {
  it('E13: lists causes, sends one again, discards another with a reason', async () => {
    const failed = async (error: string) => {
      const id = await notify(world, cast.teammate);
      await world.sql(
        `UPDATE deliveries SET state = 'failed', ended_at = now(), error = $2, reason = NULL WHERE notification_id = $1`,
        [id, error],
      );
    };
    await failed('550 No such user');
    await failed('452 Mailbox full');
    const list = { days: '1' };
    expect(await listDeadLetters(environment, list)).toMatch(
      /^count +channel.*\n1 +email +1 +\S+ +- +452 Mailbox full/,
    );
    const choice = { ...list, channel: 'email', tenant };
    const requeued = await actOnDeadLetters(environment, 'requeue', { ...choice, cause: '452 Mailbox full' });
    expect(requeued).toBe('Requeued 1 of 1.');
    await expect(actOnDeadLetters(environment, 'discard', choice)).rejects.toThrow(UsageError);
    await expect(actOnDeadLetters(environment, 'requeue', list)).rejects.toThrow(
      'choose with --id or --channel',
    );
    expect(await actOnDeadLetters(environment, 'discard', { ...choice, why: 'has left' })).toBe(
      'Discarded 1 of 1.',
    );
    expect(await listDeadLetters(environment, list)).toMatch(/^No delivery failed/);
    expect(await audited('vigie dead-letters discard')).toEqual([{ ...BY_CLI, tenant_id: cast.tenant.id }]);
  });
});

describe('vigie completion', () => {
  const program = createProgram();

  it('E13: every command has a description and takes --json, unless it prints JSON anyway', () => {
    const without: string[] = [];
    const visit = (command: typeof program, path: string) => {
      expect([path, command.description() === '']).toEqual([path, false]);
      const takesJson = command.options.some(({ long }) => long === '--json');
      if (command.commands.length === 0 && !takesJson) without.push(path);
      for (const child of command.commands) visit(child, `${path} ${child.name()}`);
    };
    visit(program, 'vigie');
    // These print NDJSON anyway.
    expect(without).toEqual(['vigie users export', 'vigie archive show']);
  });

  it.each<[string[], string[]]>([
    [['ten'], ['tenants']],
    [['operators', 'un'], ['unlock']],
    [['keys', 'create', '--sc'], ['--scope']],
    [['keys', '--tenant', 'martin', 'list', '--js'], ['--json']],
    [['queues', 'purge', '--y'], ['--yes']],
  ])('E13: bash completes %j to %j', (words, expected) => {
    const script = `${completionScript('bash', program)}
COMP_WORDS=(vigie "$@"); COMP_CWORD=$#; _vigie; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' });
    expect([stderr, stdout.trim().split('\n')]).toEqual(['', expected]);
  });

  it('E13: zsh and fish know the same commands', () => {
    for (const shell of ['zsh', 'fish'] as const) {
      const script = completionScript(shell, program);
      for (const word of ['/operators/unlock', 'reset-password', 'doctor', 'dkim-selector'])
        expect(script).toContain(word);
    }
  });
});
