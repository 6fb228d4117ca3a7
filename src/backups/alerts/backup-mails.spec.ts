import { addPerson, addTenant } from '../../../test/support/cast.js';
import { createWorld, mailEnvironment, type World } from '../../../test/support/world.js';
import { type CaughtMail, type MailCatcher, startMailCatcher } from '../../cli/demo/mail-catcher.js';
import { BACKUP_REASONS, BACKUP_VERDICTS, DOUBTS } from '../../contracts/backups.js';
import { BackupAnnouncements } from './announcements.js';
import { addJob, addResult, NO_SLOTS } from '../board/records.fixture.js';

const AT = new Date('2026-03-30T00:04:12Z');
const DAY_MS = 86_400_000;
const SENT = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const FOUND = '60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752';
const { signal } = new AbortController();

const announceNew = (world: World, tenantId: string) =>
  world.app.get(BackupAnnouncements, { strict: false }).announceNew(tenantId, signal);

describe('B7: mails about backups', () => {
  let catcher: MailCatcher;
  let world: World;

  beforeAll(async () => {
    catcher = await startMailCatcher();
    world = await createWorld({
      env: {
        VIGIE_ROLES: 'web,worker,scheduler',
        ...mailEnvironment(catcher),
      },
    });
  });
  afterAll(async () => {
    await world.close();
    await catcher.close();
  });

  const mailTo = (address: string, about: string): Promise<CaughtMail> =>
    catcher.waitFor(({ to, subject }) => to.includes(address) && subject.includes(about));

  it('M10: name the fault and the recovery in the recipient’s language, for users and bare addresses', async () => {
    const tenant = await addTenant(world, {
      settings: { alert_recipients: ['astreinte@host.example', 'grace@example.com'] },
      schedule_from: NO_SLOTS,
    });
    await addPerson(world, tenant.id, { name: 'Grace' });
    await world.sql(`UPDATE users SET locale = 'en' WHERE tenant_id = $1`, [tenant.id]);
    const job = await addJob(world, tenant.id, {
      agent_id: 'nantes-01',
      database_name: 'compta_prod',
      city: 'Nantes',
      neighborhood: 'Chantenay',
    });
    await addResult(world, tenant.id, {
      job_id: job,
      effective_at: new Date(AT.getTime() - DAY_MS),
      verdict: 'SUCCESS',
    });
    const entry = await addResult(world, tenant.id, {
      job_id: job,
      effective_at: AT,
      verdict: 'HASH_MISMATCH',
      reason: 'hash_differs',
      expected_on: '2026-03-30',
      expected_at: '2026-03-30T00:00:00Z',
      staged_file_name: 'compta_prod.sql.gz',
      hash_sha256: SENT,
      server_hash_sha256: FOUND,
      size_bytes: 1_507_328_512,
      server_size_bytes: 1_507_328_000,
      compress_size_pre_compress: 6_918_201_344,
      compress_size_post_compress: 1_507_328_512,
      agent_transfer_process_status: 'completed',
      agent_transfer_process_start_time_utc: '2026-03-30T00:04:15Z',
      agent_transfer_process_timestamp_utc: '2026-03-30T00:09:40Z',
      agent_transfer_error_message: 'connection reset <once>',
      error_msg: 'dump finished with warnings',
      logs_summary: 'dump: 214 tables\nupload: resumed twice',
    });
    expect(await announceNew(world, tenant.id)).toMatchObject({ alerts: 1, not_announced: 0 });

    const french = await mailTo('astreinte@host.example', 'compta_prod');
    expect(french.subject).toBe('ALERTE SAUVEGARDE - compta_prod - HASH MISMATCH');
    const english = await mailTo('grace@example.com', 'compta_prod');
    expect(english.subject).toBe('BACKUP ALERT - compta_prod - HASH MISMATCH');
    const reported = [
      ...['nantes-01', 'Boulangerie Martin', 'Nantes', 'Chantenay', 'compta_prod'],
      ...[SENT, FOUND, 'compta_prod.sql.gz', 'connection reset <once>'],
      ...['dump finished with warnings', 'dump: 214 tables', 'upload: resumed twice', job, entry],
    ];
    for (const { text, html } of [french, english])
      for (const word of reported) {
        expect(text).toContain(word);
        expect(html).toContain(word.replace('<once>', '&lt;once&gt;'));
      }
    for (const word of [
      'Depuis\u00a0: lundi 30 mars 2026 à 2\u00a0h\u00a004 (Europe/Paris)',
      'Attendue\u00a0: lun. 30 mars 2026 à 2\u00a0h\u00a000',
      'Dernière bonne sauvegarde\u00a0: dim. 29 mars 2026 à 1\u00a0h\u00a004',
      'Empreinte SHA-256\u00a0: différente',
      'Serveur\u00a0: 1,5\u00a0Go (1\u202f507\u202f328\u202f000 octets)',
      'Taille avant compression\u00a0: 6,9\u00a0Go',
      'Fin du transfert\u00a0: lun. 30 mars 2026 à 2\u00a0h\u00a009',
      'Heure attendue\u00a0: 2\u00a0h\u00a000',
      'Résultat\u00a0: fichier différent',
      'État du transfert\u00a0: terminé',
      'Ne restaurez pas ce fichier',
    ])
      expect(french.text).toContain(word);
    for (const word of [
      'Expected at: 02:00',
      'Result: file differs',
      'Transfer status: completed',
      'Size: different',
      'Server: 1.5\u00a0GB (1,507,328,000 bytes)',
      'Do not restore this file',
    ])
      expect(english.text).toContain(word);

    await addResult(world, tenant.id, {
      job_id: job,
      effective_at: new Date(AT.getTime() + DAY_MS),
      verdict: 'SUCCESS',
    });
    expect(await announceNew(world, tenant.id)).toMatchObject({ recovered: 1 });
    const well = await mailTo('astreinte@host.example', 'RÉTABLIE');
    expect(well.subject).toBe('SAUVEGARDE RÉTABLIE - compta_prod');
    expect(well.text).toContain('Problème\u00a0: fichier différent de celui annoncé');
    // M10: the recovery shows the same instant as its alert.
    expect(well.text).toContain(
      'En défaut depuis le\u00a0: lundi 30 mars 2026 à 2\u00a0h\u00a004 (Europe/Paris)',
    );
    expect((await mailTo('grace@example.com', 'RECOVERED')).subject).toBe('BACKUP RECOVERED - compta_prod');
    expect(catcher.count).toBe(4);
  });

  it.each(BACKUP_VERDICTS.filter((verdict) => verdict !== 'SUCCESS'))(
    '%s is in the subject with spaces; the database name is otherwise unchanged',
    async (verdict) => {
      const tenant = await addTenant(world, {
        settings: { alert_recipients: ['ops@host.example'] },
        schedule_from: NO_SLOTS,
      });
      const database = `Base_${verdict} & <b>`;
      const job = await addJob(world, tenant.id, { database_name: database });
      await addResult(world, tenant.id, { job_id: job, effective_at: AT, verdict });
      await announceNew(world, tenant.id);
      expect((await mailTo('ops@host.example', database)).subject).toBe(
        `ALERTE SAUVEGARDE - ${database} - ${verdict.replaceAll('_', ' ')}`,
      );
    },
  );

  it('have words for every reason', async () => {
    const tenant = await addTenant(world, {
      settings: { alert_recipients: ['raisons@host.example'], bundling: 'single' },
      schedule_from: NO_SLOTS,
    });
    for (const reason of BACKUP_REASONS) {
      const job = await addJob(world, tenant.id, { database_name: reason });
      await addResult(world, tenant.id, { job_id: job, effective_at: AT, verdict: 'FAILED', reason });
    }
    await announceNew(world, tenant.id);
    const sentences = new Set<string>();
    for (const reason of BACKUP_REASONS) {
      const { text } = await mailTo('raisons@host.example', ` - ${reason} - `);
      sentences.add(text.split('\n')[7]?.replace(reason, '') ?? '');
      expect(text).not.toMatch(/[{}]|undefined/);
    }
    expect(sentences.size).toBe(BACKUP_REASONS.length);
  });

  it('F1: have words for every doubt', async () => {
    const tenant = await addTenant(world, {
      settings: { alert_recipients: ['doutes@host.example'], bundling: 'single' },
      schedule_from: NO_SLOTS,
    });
    for (const doubt of DOUBTS) {
      const job = await addJob(world, tenant.id, { database_name: doubt });
      await addResult(world, tenant.id, {
        job_id: job,
        effective_at: AT,
        verdict: 'SUCCESS',
        warnings: [doubt],
      });
    }
    await announceNew(world, tenant.id);
    const empty = await mailTo('doutes@host.example', 'ALERTE SAUVEGARDE - empty_file - FICHIER VIDE');
    expect(empty.text).toContain('il n’y a rien dans le fichier');
    expect(empty.text).toContain('Résultat\u00a0: vide');
    const shrunk = await mailTo('doutes@host.example', 'ALERTE SAUVEGARDE - shrunk - FICHIER TRÈS RÉDUIT');
    expect(shrunk.text).toContain('moins d’un dixième de la taille habituelle');
  });
});

describe('B8: without SMTP', () => {
  it('an incident records its mails as not configured', async () => {
    const world = await createWorld({ env: { VIGIE_ROLES: 'web,worker,scheduler' } });
    const tenant = await addTenant(world, {
      settings: { alert_recipients: ['ops@host.example'] },
      schedule_from: NO_SLOTS,
    });
    for (const database of ['compta', 'paie']) {
      const job = await addJob(world, tenant.id, { database_name: database });
      await addResult(world, tenant.id, {
        job_id: job,
        effective_at: AT,
        verdict: 'MISSING',
        reason: 'no_report',
      });
    }
    expect(await announceNew(world, tenant.id)).toEqual({ alerts: 2, recovered: 0, not_announced: 0 });
    expect(await world.sql('SELECT state, reason, address FROM deliveries')).toEqual(
      Array.from({ length: 2 }, () => ({
        state: 'suppressed',
        reason: 'channel_not_configured',
        address: 'ops@host.example',
      })),
    );
    await world.close();
  });
});
