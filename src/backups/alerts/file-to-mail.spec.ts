import { addPerson, addTenant } from '../../../test/support/cast.js';
import { createWorld, mailEnvironment, type World } from '../../../test/support/world.js';
import { type MailCatcher, startMailCatcher } from '../../cli/demo/mail-catcher.js';
import { type BackupFolders, backupFolders, good, type ReportedFields, TestAgent } from '../agent.fixture.js';
import { addJob, NO_SLOTS } from '../board/records.fixture.js';

const HOUR_MS = 3_600_000;

/** Each case: the agent's files and the expected results, up to the mail. */
const CASES: {
  verdict: string;
  what: string;
  leave: (agent: TestAgent) => Promise<ReportedFields | null>;
  mail: string | null;
  says: string[];
}[] = [
  {
    verdict: 'SUCCESS',
    what: 'a file that is what the agent says',
    leave: (agent) => agent.stage('SUCCESS.bak', 'whole'),
    mail: null,
    says: [],
  },
  {
    verdict: 'FAILED',
    what: 'a backup that the agent could not make',
    leave: () => Promise.resolve({ status: 'failed', error_msg: 'ORA-01555: snapshot too old' }),
    mail: 'ALERTE SAUVEGARDE - FAILED - FAILED',
    says: ['ORA-01555: snapshot too old'],
  },
  {
    verdict: 'TRANSFER_INTEGRITY_FAILED',
    what: 'a transfer that the agent found broken',
    leave: () =>
      Promise.resolve({
        status: 'transfer_integrity_failed',
        staged_file_name: 'transfer.bak',
        agent_transfer_error_message: 'remote checksum differs',
      }),
    mail: 'ALERTE SAUVEGARDE - TRANSFER_INTEGRITY_FAILED - TRANSFER INTEGRITY FAILED',
    says: ['remote checksum differs', 'transfer.bak'],
  },
  {
    verdict: 'HASH_MISMATCH',
    what: 'a file that is not what the agent says',
    leave: async (agent) => {
      await agent.put('database', 'mismatch.bak', 'b-roken');
      return good('mismatch.bak', 'un-broken');
    },
    mail: 'ALERTE SAUVEGARDE - HASH_MISMATCH - HASH MISMATCH',
    says: ['mismatch.bak', '7 octets', '9 octets'],
  },
  {
    verdict: 'MISSING',
    what: 'no word of it',
    leave: () => Promise.resolve(null),
    mail: 'ALERTE SAUVEGARDE - MISSING - MISSING',
    says: ['Boulangerie Martin', 'Lyon', 'srv-1'],
  },
];

describe('from the file to the mail', () => {
  let catcher: MailCatcher;
  let folders: BackupFolders;
  let world: World;
  let tenant: { id: string; slug: string };
  let token: string;
  let agent: TestAgent;

  beforeAll(async () => {
    catcher = await startMailCatcher();
    folders = await backupFolders();
    world = await createWorld({
      env: {
        ...folders.env,
        VIGIE_ROLES: 'web,worker,scheduler',
        ...mailEnvironment(catcher),
      },
    });
    tenant = await addTenant(world, {
      // One mail per verdict: without this, four critical alerts due together would leave as one.
      settings: { alert_recipients: ['astreinte@host.example'], bundling: 'single' },
      schedule_from: NO_SLOTS,
    });
    ({ token } = await addPerson(world, tenant.id, { name: 'Alice', role: 'admin' }));
    agent = await new TestAgent(folders, tenant.slug, 'srv-1').make();
  });
  afterAll(async () => {
    await world.close();
    await catcher.close();
    await folders.remove();
  });

  const scan = () => world.http('POST', '/api/v1/backups/scan?wait=true', { token, body: {} });
  const reported = () => new Date(Date.now() - HOUR_MS).toISOString();

  it('B4, B7, B8: each verdict notifies its recipients', async () => {
    // Expected at the same minute yesterday; its grace has been over for most of a day.
    const expected = new Date(Date.now() - 24 * HOUR_MS);
    const time = expected.toLocaleTimeString('fr', {
      timeZone: 'Europe/Paris',
      hour: '2-digit',
      minute: '2-digit',
    });
    for (const { verdict } of CASES) {
      await addJob(world, tenant.id, {
        agent_id: agent.id,
        database_name: verdict,
        city: 'Lyon',
        expected_time: time,
        grace_minutes: 60,
        expected_after: new Date(expected.getTime() - 3 * HOUR_MS),
      });
    }
    const databases: Record<string, ReportedFields> = {};
    for (const { verdict, leave } of CASES) {
      const said = await leave(agent);
      if (said !== null) databases[verdict] = said;
    }
    await agent.drop('STATUS.json', agent.report(reported(), databases));

    expect(await scan()).toMatchObject({ status: 200, body: { state: 'succeeded', counts: { alerts: 4 } } });

    const board = await world.http('GET', '/api/v1/backups/status', { token });
    const rows = (board.body as { data: { database_name: string; verdict: string }[] }).data;
    expect(rows.map(({ database_name, verdict }) => [database_name, verdict]).sort()).toEqual(
      CASES.map(({ verdict }) => [verdict, verdict]).sort(),
    );
    for (const { mail, says } of CASES) {
      if (mail === null) continue;
      const caught = await catcher.waitFor(({ subject }) => subject === mail);
      expect(caught.to).toEqual(['astreinte@host.example']);
      for (const words of says) expect(caught.text.replace(/\s/g, ' ')).toContain(words);
    }
    // All mails have left: there is none for SUCCESS.
    expect(catcher.count).toBe(4);

    // All jobs recover: each recovery is announced once; the job without an incident announces none.
    const well: Record<string, ReportedFields> = {};
    for (const { verdict } of CASES)
      well[verdict] = await agent.stage(`${verdict}-2.bak`, `${verdict} again`);
    await agent.drop('2_STATUS.json', agent.report(new Date(Date.now() - 60_000).toISOString(), well));
    expect(await scan()).toMatchObject({ status: 200, body: { counts: { success: 5, recovered: 4 } } });
    await catcher.waitFor(8);
    expect(
      catcher.mails
        .slice(4)
        .map(({ subject }) => subject)
        .sort(),
    ).toEqual(
      CASES.filter(({ mail }) => mail !== null)
        .map(({ verdict }) => `SAUVEGARDE RÉTABLIE - ${verdict}`)
        .sort(),
    );
    expect(await scan()).toMatchObject({ body: { state: 'succeeded', counts: {} } });
    expect(catcher.count).toBe(8);
  });
});
