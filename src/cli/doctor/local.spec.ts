import { createServer } from 'node:http';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, environmentFor, type TestDatabase } from '../../../test/support/database.js';
import { STORE_MARKER } from '../../backups/store/backup-store.js';
import { compareClocks } from './clock.js';
import { check, finding, NOWHERE } from './doctor.fixture.js';

/** E13: `vigie doctor` finds faults of the configuration, folders, disks and clocks, and names their remedies. */

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vigie-doctor-'));
});
afterAll(() => rm(folder, { recursive: true }));

const MAIL = { SMTP_HOST: 'mail.firm.fr', SMTP_FROM_EMAIL: 'vigie@firm.fr' };

describe('configuration', () => {
  it('E13: lists every fault and every misspelled name at once', async () => {
    const found = await check('configuration', {
      ...NOWHERE,
      PORT: 'many',
      SMTP_HOST: 'smtp://mail.firm.fr',
      SMTP_HOSTS: 'mail.firm.fr',
      SMS_PROVIDER: 'twilio',
      VAPID_SUBJECT: 'mailto:a@firm.fr',
      JWT_SECRET_FILE: '/no/such/file',
      JWT_SECRET: undefined,
    });
    expect(found).toEqual([
      finding('fault', /^PORT /, /docs\/configuration\.md/),
      finding('fault', /^JWT_SECRET_FILE names a file that cannot be read/),
      finding('fault', /^SMTP_HOST must be a host name without smtp:\/\//),
      finding('fault', /^TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are required/),
      finding('fault', /^one of TWILIO_FROM and TWILIO_MESSAGING_SERVICE_SID/),
      finding('fault', /^VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY and VAPID_SUBJECT must be set together/),
      finding('warning', /^SMTP_HOSTS is not a setting/, /Rename/),
    ]);
  });

  it('E13: a check whose setting is faulty is not run on its default', async () => {
    expect(await check('mail_server', { ...NOWHERE, SMTP_HOST: 'smtp://x' })).toEqual([
      finding('note', /fault in the configuration: SMTP_HOST/),
    ]);
    expect(await check('postgresql', { DATABASE_URL: 'mysql://x' })).toEqual([
      finding('note', /fault in the configuration: DATABASE_URL/),
    ]);
  });

  it('E13: embedded services that are not started are no fault', async () => {
    const none = { VIGIE_DATA_DIR: folder };
    expect(await check('configuration', none)).toContainEqual(
      finding('note', /no Vigie with embedded services/),
    );
    expect(await check('redis', none)).toEqual([finding('note', /embedded, and not started/)]);
  });

  it('M5: links in mails to localhost', async () => {
    expect(await check('links', { ...NOWHERE, ...MAIL })).toEqual([
      finding(
        'fault',
        /point to http:\/\/localhost:3000 \(VIGIE_PUBLIC_URL is unset\)/,
        /^Set VIGIE_PUBLIC_URL/,
      ),
    ]);
    const open = { ...NOWHERE, ...MAIL, VIGIE_PUBLIC_URL: 'http://vigie.firm.fr', HOST: '0.0.0.0' };
    expect(await check('links', open)).toEqual([finding('warning', /without encryption/, /reverse proxy/)]);
    expect(await check('links', { ...open, VIGIE_PUBLIC_URL: 'https://vigie.firm.fr' })).toEqual([
      finding('ok', /https:\/\/vigie\.firm\.fr/),
    ]);
  });

  it('E13: providers of text messages and pushes: incomplete, and not reachable', async () => {
    const twilio = { ...NOWHERE, SMS_PROVIDER: 'twilio' };
    expect(await check('sms', twilio)).toEqual([finding('note', /settings are missing/)]);
    const complete = {
      TWILIO_ACCOUNT_SID: 'AC1',
      TWILIO_AUTH_TOKEN: 'secret-token',
      TWILIO_FROM: '+33612345678',
    };
    const found = await check('sms', { ...twilio, ...complete, TWILIO_API_URL: 'http://127.0.0.1:1' });
    expect(found).toEqual([finding('fault', /Twilio|provider|refused/i, /reaches the provider/)]);
    expect(JSON.stringify(found)).not.toContain('secret-token');
    expect(await check('push', { ...NOWHERE, VAPID_SUBJECT: 'mailto:a@firm.fr' })).toEqual([
      finding('note', /settings are missing/),
    ]);
  });
});

describe('folders', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(() => database.drop());

  it('E13: a missing folder, one that is a file, one on a file system that takes no files', async () => {
    const inbox = (BACKUP_INBOX_DIR: string) =>
      check('folders', { ...NOWHERE, VIGIE_DATA_DIR: folder, BACKUP_INBOX_DIR });
    expect(await inbox(folder)).toEqual([
      finding('ok', /VIGIE_DATA_DIR: .* is writable/),
      finding('ok', /INBOX/),
    ]);
    expect(await inbox(join(folder, 'not-mounted'))).toContainEqual(
      finding('fault', /BACKUP_INBOX_DIR: .*not-mounted does not exist/, /^Mount its disk/),
    );
    await writeFile(join(folder, 'file'), '');
    expect(await inbox(join(folder, 'file'))).toContainEqual(finding('fault', /is not a folder/));
    expect(await inbox('/proc')).toContainEqual(
      finding('fault', /\/proc is not writable/, /right to write|Mount/),
    );
  });

  it('E13: a folder that this user may not write to', async () => {
    const closed = join(folder, 'closed');
    await mkdir(closed, { mode: 0o500 });
    const found = await check('folders', { ...NOWHERE, VIGIE_DATA_DIR: folder, BACKUP_INBOX_DIR: closed });
    // Root may write everywhere.
    expect(found).toContainEqual(
      process.getuid?.() === 0
        ? finding('ok', /closed/)
        : finding('fault', /closed is not writable: EACCES/, /chown/),
    );
    await chmod(closed, 0o700);
  });

  it('H21: an unmounted store of backups is a fault, a new one none', async () => {
    const store = join(folder, 'store');
    const state = async () => check('backup_store', { ...environmentFor(database), BACKUP_STORE_DIR: store });
    expect(await state()).toEqual([finding('fault', /does not exist/, /Mount its disk/)]);
    await mkdir(store);
    expect(await state()).toEqual([finding('ok', /is new/)]);
    expect(await check('backup_store', { ...NOWHERE, BACKUP_STORE_DIR: store })).toEqual([
      finding('note', /is new, or its disk is not mounted/),
    ]);
    await writeFile(join(store, 'of-another-program'), '');
    expect(await state()).toEqual([finding('fault', /has no file \.vigie-store/, /Mount its disk/)]);
    await writeFile(join(store, STORE_MARKER), '');
    expect(await state()).toEqual([finding('ok', /mounted and writable/)]);
    await rename(store, `${store}-elsewhere`);
    expect(await state()).toEqual([finding('fault', /does not exist/)]);
  });

  it('E13: a disk that is nearly full, by its share and by what is left', async () => {
    const GIB = 1024 ** 3;
    const disk = async (gib: number, free: number, inodes = 0.5) => {
      const space = { bsize: 1, blocks: gib * GIB, bavail: free * GIB, files: 1_000, ffree: 1_000 * inodes };
      const [found] = await check(
        'disks',
        { ...NOWHERE, VIGIE_DATA_DIR: folder },
        { statfs: () => Promise.resolve(space) },
      );
      return found!.state;
    };
    expect(await disk(100, 50)).toBe('ok');
    expect(await disk(10_000, 400)).toBe('ok');
    expect(await disk(100, 8)).toBe('warning');
    expect(await disk(100, 1)).toBe('fault');
    expect(await disk(1, 0.2)).toBe('fault');
    expect(await disk(100, 50, 0.01)).toBe('fault');
    expect((await check('disks', { ...NOWHERE, VIGIE_DATA_DIR: folder }))[0]).toMatchObject({ id: 'disks' });
  });
});

describe('clocks', () => {
  it.each([
    [0, 'ok'],
    [1_900, 'ok'],
    [-1_900, 'ok'],
    [2_000, 'warning'],
    [-2_000, 'warning'],
    [30_000, 'fault'],
    [-3_600_000, 'fault'],
  ])('E13: another clock that differs by %d ms: %s', (difference, state) => {
    expect(compareClocks('Redis', 1_000_000 - difference, 1_000_000, 1_000_000).state).toBe(state);
  });

  it('E13: a slow answer is no wrong clock', () => {
    expect(compareClocks('Redis', 3_000, 0, 4_000).state).toBe('ok');
  });

  it("E13: this machine's clock against those of PostgreSQL and Redis", async () => {
    const database = await createDatabase();
    const environment = environmentFor(database);
    expect(await check('clock', environment)).toEqual([finding('ok', /PostgreSQL/), finding('ok', /Redis/)]);
    const ahead = { now: () => Date.now() + 60_000 };
    expect(await check('clock', environment, ahead)).toEqual([
      finding('fault', /60\.\d s ahead of that of PostgreSQL/, /timedatectl/),
      finding('fault', /60\.\d s ahead of that of Redis/, /timedatectl/),
    ]);
    await database.drop();
    expect(await check('clock', NOWHERE)).toEqual([
      finding('note', /PostgreSQL, which does not answer/),
      finding('note', /Redis, which does not answer/),
    ]);
  });
});

describe('the server', () => {
  it('E13: ready, not ready, another program, another clock, no answer', async () => {
    let answer = { status: 200, body: '{"status":"ok"}', date: new Date().toUTCString() };
    const http = createServer((_request, response) => {
      response.writeHead(answer.status, { date: answer.date }).end(answer.body);
    });
    await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
    const { port } = http.address() as { port: number };
    const server = () => check('server', { ...NOWHERE, VIGIE_PUBLIC_URL: `http://127.0.0.1:${port}` });
    expect(await server()).toEqual([finding('ok', /readyz is ready/)]);
    answer = { ...answer, date: new Date(Date.now() - 3_600_000).toUTCString() };
    expect(await server()).toEqual([finding('ok', /ready/), finding('fault', /ahead of that of the server/)]);
    answer = { status: 503, body: '{"detail":"no answer from Redis"}', date: new Date().toUTCString() };
    expect(await server()).toEqual([finding('fault', /not ready: no answer from Redis/)]);
    answer = { ...answer, status: 200, body: '<html>Welcome to nginx!</html>' };
    expect(await server()).toEqual([finding('fault', /not as Vigie does/, /reverse proxy/)]);
    http.closeAllConnections();
    await new Promise((closed) => http.close(closed));
    expect(await server()).toEqual([finding('note', /does not answer/)]);
  });
});
