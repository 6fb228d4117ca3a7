import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuMs } from '../../../test/support/cpu-time.js';
import { type Config, ConfigurationError, publicUrl, readConfig } from './config.js';
import { SCHEMA } from './schema.js';

/** Like the output of `openssl rand -base64 32`. */
const SECRET = 'q3X0m8Wv1bZr7Kc5Yt2Ld9Hf4Nj6Gp0s';
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vigie-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(text: string, name = 'file'): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** The configuration read from a vigie.yml and, optionally, an environment. */
function withYaml(yaml: string, environment: Record<string, string> = {}): Config {
  return readConfig({ VIGIE_CONFIG: file(yaml, 'vigie.yml'), ...environment });
}

function faultsOf(read: () => Config): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults;
    throw error;
  }
  return [];
}

describe('where a setting comes from', () => {
  it('uses the default when a setting is not written', () => {
    expect(readConfig({})).toMatchObject({
      port: 3000,
      roles: ['web', 'worker', 'scheduler'],
      smtpHost: null,
    });
  });

  it('prefers vigie.yml to the default, and the environment to vigie.yml', () => {
    const yaml = 'server:\n  port: 4000\n  host: 127.0.0.1\n';
    expect(withYaml(yaml)).toMatchObject({ port: 4000, host: '127.0.0.1' });
    expect(withYaml(yaml, { PORT: '5000' })).toMatchObject({ port: 5000, host: '127.0.0.1' });
  });

  it('treats an empty variable as unset', () => {
    expect(withYaml('server: {port: 4000}', { PORT: '', SMTP_HOST: '', PORT_FILE: '' })).toMatchObject({
      port: 4000,
      smtpHost: null,
    });
    expect(readConfig({ VIGIE_CONFIG: '' }).port).toBe(3000);
  });

  it('reads a variable from the file that <NAME>_FILE names, without the line end', () => {
    const [one, other] = [SECRET, Array.from(SECRET).reverse().join('')];
    const path = file(`${one}\n`);
    expect(readConfig({ JWT_SECRET_FILE: path }).jwtSecret).toBe(one);
    expect(readConfig({ JWT_SECRET: other, JWT_SECRET_FILE: path }).jwtSecret).toBe(other);
  });

  it('does not start when a named secret file is missing or empty', () => {
    expect(faultsOf(() => readConfig({ SMTP_PASSWORD_FILE: '/nowhere/secret', SMTP_USER: 'u' }))).toEqual([
      'SMTP_PASSWORD_FILE names a file that cannot be read: /nowhere/secret',
    ]);
    const empty = file('\n', 'empty');
    expect(faultsOf(() => readConfig({ JWT_SECRET_FILE: empty }))).toEqual([
      `JWT_SECRET_FILE names an empty file: ${empty}`,
    ]);
  });

  it.each([
    ['EMAIL_HOST', 'mail.example.fr', 'smtpHost', 'mail.example.fr'],
    ['EMAIL_PORT', '465', 'smtpPort', 465],
    ['SMTP_USERNAME', 'compta', 'smtpUser', 'compta'],
    ['EMAIL_USERNAME', 'compta', 'smtpUser', 'compta'],
    ['EMAIL_PASSWORD', 'hunter2', 'smtpPassword', 'hunter2'],
    ['EMAIL_SENDER', 'vigie@example.fr', 'smtpFromEmail', 'vigie@example.fr'],
    ['NOTIFICATION_LOG_LEVEL', 'WARNING', 'logLevel', 'warning'],
    ['NOTIFICATION_SCHEDULER_INTERVAL', '60', 'dispatchIntervalSeconds', 60],
  ] as const)('E12: understands %s', (name, text, key, value) => {
    const rest = {
      SMTP_FROM_EMAIL: name === 'EMAIL_SENDER' ? '' : 'vigie@example.fr',
      SMTP_USER: name === 'EMAIL_PASSWORD' ? 'compta' : '',
      SMTP_PASSWORD: name.endsWith('USERNAME') ? 'hunter2' : '',
    };
    expect(readConfig({ ...rest, [name]: text })[key]).toBe(value);
  });

  it('prefers the current name to an old one, and reads an old name from a file', () => {
    const mail = { SMTP_FROM_EMAIL: 'vigie@example.fr' };
    expect(readConfig({ ...mail, SMTP_HOST: 'new', EMAIL_HOST: 'old' }).smtpHost).toBe('new');
    expect(readConfig({ ...mail, EMAIL_HOST_FILE: file('old') }).smtpHost).toBe('old');
  });

  it("E12: reads the old system's file", () => {
    const yaml = `
notifications:
  enabled: false
email:
  retry:
    max_attempts: 5
    retry_delay_seconds: 60
scheduler:
  check_interval_seconds: 30
  batch_size: 20
cleanup:
  enabled: no
`;
    expect(withYaml(yaml)).toMatchObject({
      notificationsEnabled: false,
      retryMaxAttempts: 5,
      retryDelaySeconds: 60,
      dispatchIntervalSeconds: 30,
      dispatchBatchSize: 20,
      cleanupEnabled: false,
    });
  });

  it.each(['10.0.0.1', '10.0.0.0/8, 2001:db8::/32', 'loopback,uniquelocal', '::1'])(
    'trusts proxies by address: %p',
    (text) => expect(readConfig({ TRUST_PROXY: text }).trustProxy).toBe(text),
  );

  // A number of hops, or "all", would let anyone choose the address that requests are counted under.
  it.each([
    '1',
    'true',
    '*',
    'proxy.example.com',
    '10.0.0.0/33',
    '10.0.0.0/0',
    '::/129',
    '10.0.0.1/8/8',
    ',',
  ])('refuses %p as trusted proxies', (text) => {
    expect(faultsOf(() => readConfig({ TRUST_PROXY: text }))).toEqual([
      'TRUST_PROXY must be a list of IP addresses, networks, loopback, linklocal or uniquelocal',
    ]);
  });

  it.each([
    ['equal letters', 'x'.repeat(40)],
    ['a repeated word', 'canary'.repeat(8)],
    ['digits', '1234567890'.repeat(4)],
    ['two characters', 'ab'.repeat(20)],
    ['part of another secret, repeated', 'q3X0m8Wv1bZr7Kc5q3X0m8Wv1bZr7Kc5'],
    ['almost only one letter', `${'x'.repeat(40)}abcdefghij`],
    ['a short one', 'q3X0m8Wv1bZr7Kc5'],
  ])('S8: refuses a JWT_SECRET of %s', (_what, text) => {
    const words =
      'must be random: at least 32 characters, at least 10 different ones, no pattern (openssl rand -base64 32)';
    expect(faultsOf(() => readConfig({ JWT_SECRET: text }))).toEqual([`JWT_SECRET ${words}`]);
    expect(faultsOf(() => readConfig({ JWT_SECRET_PREVIOUS: `${SECRET},${text}` }))).toEqual([
      `JWT_SECRET_PREVIOUS ${words}`,
    ]);
  });

  it('S8: refuses a JWT_SECRET with a comma: it could not be replaced', () => {
    expect(faultsOf(() => readConfig({ JWT_SECRET: `${SECRET},${SECRET}x` }))).toEqual([
      'JWT_SECRET must have no comma: JWT_SECRET_PREVIOUS, which it goes to one day, separates by commas',
    ]);
  });

  it('S8: takes secrets as people make them', () => {
    for (let round = 0; round < 200; round++) {
      for (const encoding of ['base64', 'base64url', 'hex'] as const) {
        const secret = randomBytes(32).toString(encoding);
        expect(readConfig({ JWT_SECRET: secret, JWT_SECRET_PREVIOUS: secret })).toMatchObject({
          jwtSecret: secret,
          jwtSecretPrevious: [secret],
        });
      }
    }
    expect(withYaml(`auth: {jwt_secret_previous: [${SECRET}a, ${SECRET}b]}`).jwtSecretPrevious).toEqual([
      `${SECRET}a`,
      `${SECRET}b`,
    ]);
  });

  it('has exactly one name of each kind per setting', () => {
    const variables = Object.values(SCHEMA);
    const names = variables.flatMap(({ env, aliases }) => [env, ...aliases]);
    const places = variables.map(({ yaml }) => yaml);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(places).size).toBe(places.length);
  });
});

describe('vigie.yml', () => {
  it('keeps every value as written', () => {
    const yaml = 'email:\n  smtp: {user: 0123, password: 1e3}\n  from: {name: true, address: a@b.fr}\n';
    expect(withYaml(yaml)).toMatchObject({ smtpUser: '0123', smtpPassword: '1e3', smtpFromName: 'true' });
  });

  it('accepts a list as a sequence or as text', () => {
    expect(withYaml('server:\n  roles: [worker, web]\n').roles).toEqual(['web', 'worker']);
    expect(withYaml('server:\n  roles: worker\n').roles).toEqual(['worker']);
  });

  it.each([
    ['an empty file', ''],
    ['comments only', '# nothing\n'],
    ['names without values', 'server:\n  port:\nemail: ~\n'],
  ])('treats %s as unset', (_what, yaml) => {
    expect(withYaml(yaml).port).toBe(3000);
  });

  it('names each unknown setting', () => {
    expect(
      faultsOf(() => withYaml('server: {prot: 1}\nemial: {enabled: true}\nserver2: 3\nx: [1]\n')),
    ).toEqual([
      'server.prot in the configuration file is not a setting',
      'emial.enabled in the configuration file is not a setting',
      'server2 in the configuration file is not a setting',
      'x in the configuration file is not a setting',
    ]);
  });

  it.each([
    [
      'a mapping for a value',
      'server: {port: {a: 1}}',
      'server.port in the configuration file must be a single value',
    ],
    [
      'a sequence for a value',
      'email: {smtp: {host: [a]}}',
      'email.smtp.host in the configuration file must be a single value',
    ],
    ['a value for a section', 'server: 3', 'server in the configuration file is not a setting'],
    [
      'a word for a number',
      'server: {port: three}',
      'server.port in the configuration file must be a whole number from 0 to 65535',
    ],
    [
      'another thing in a list',
      'server: {roles: [web, {a: 1}]}',
      'server.roles in the configuration file must be a list of web, worker, scheduler',
    ],
    ['__proto__', '__proto__: {port: 1}', '__proto__.port in the configuration file is not a setting'],
  ])('refuses %s', (_what, yaml, fault) => {
    expect(faultsOf(() => withYaml(yaml))).toEqual([fault]);
  });

  it.each([
    ['a scalar', 'just text'],
    ['a sequence', '- server'],
    ['an open quote', 'server: "'],
    ['a tab for an indent', 'server:\n\tport: 1\n'],
    ['a duplicate name', 'server: {port: 1, port: 2}'],
    ['two documents', 'server: {port: 1}\n---\nserver: {port: 2}\n'],
    ['an undefined anchor', 'server: *nowhere'],
    ['an anchor in itself', 'server: &a\n  b: *a\n'],
    ['a bomb of anchors', bomb()],
    ['10,000 levels', '['.repeat(10_000)],
    ['more than 64 KiB', `# ${'x'.repeat(70_000)}`],
    ['bytes that are not text', '\u0000\u0001\u0002'],
  ])('reports %s and nothing else', (_what, yaml) => {
    const began = cpuMs();
    expect(faultsOf(() => withYaml(yaml)).length).toBeGreaterThan(0);
    expect(cpuMs() - began).toBeLessThan(2_000);
  });

  it('reports a named file that does not exist, and a folder', () => {
    expect(faultsOf(() => readConfig({ VIGIE_CONFIG: '/nowhere.yml' }))).toEqual([
      '/nowhere.yml cannot be read (ENOENT)',
    ]);
    expect(faultsOf(() => readConfig({ VIGIE_CONFIG: folder }))).toEqual([
      `${folder} cannot be read (EISDIR)`,
    ]);
  });

  function bomb(): string {
    const levels = Array.from(
      { length: 12 },
      (_level, n) => `a${n + 1}: &a${n + 1} [${Array(9).fill(`*a${n}`).join(',')}]`,
    );
    return ['a0: &a0 [x]', ...levels].join('\n');
  }
});

describe('faults', () => {
  it('are reported all at once, by the name that was used', () => {
    const faults = faultsOf(() =>
      withYaml('workers: {mail: 0}\nnope: 1\n', {
        PORT: '70000',
        EMAIL_PORT: 'x',
        SMTP_TLS: 'maybe',
        VIGIE_ROLES: 'web,cook',
        LOG_LEVEL: 'loud',
        DATABASE_URL: 'mysql://db',
        SMTP_FROM_EMAIL: 'nobody',
      }),
    );
    expect(faults.map((fault) => fault.split(' ')[0]).sort()).toEqual([
      'DATABASE_URL',
      'EMAIL_PORT',
      'LOG_LEVEL',
      'PORT',
      'SMTP_FROM_EMAIL',
      'SMTP_TLS',
      'VIGIE_ROLES',
      'nope',
      'workers.mail',
    ]);
  });

  it.each([
    [
      { VIGIE_OPERATOR_EMAIL: 'a@b.fr' },
      'VIGIE_OPERATOR_EMAIL and VIGIE_OPERATOR_PASSWORD must be set together',
    ],
    [
      { DATABASE_URL: 'postgres://db' },
      'JWT_SECRET is required when DATABASE_URL or DATABASE_APP_URL is set',
    ],
    [
      { DATABASE_APP_URL: 'postgres://a', DATABASE_SYSTEM_URL: 'postgres://s' },
      'JWT_SECRET is required when DATABASE_URL or DATABASE_APP_URL is set',
    ],
    [
      { DATABASE_URL: 'postgres://db', JWT_SECRET: SECRET, DATABASE_APP_URL: 'postgres://a' },
      'DATABASE_APP_URL and DATABASE_SYSTEM_URL must be set together',
    ],
    [
      { DATABASE_URL: 'postgres://vigie:se@cret@db1:5432,db2/vigie?target_session_attrs=read-write' },
      'DATABASE_URL must name one host, which leads to the primary (docs/scaling.md, "PostgreSQL standby"), not several',
    ],
    [{ SMTP_USER: 'compta' }, 'SMTP_USER and SMTP_PASSWORD must be set together'],
    [{ SMTP_HOST: 'mail' }, 'SMTP_FROM_EMAIL is required when SMTP_HOST is set'],
  ])('include contradictions: %p', (environment, fault) => {
    expect(faultsOf(() => readConfig(environment))).toEqual([fault]);
  });

  it.each([
    ['1.5', false],
    ['0x10', false],
    ['1e3', false],
    [' 7 ', true],
    ['', true],
    ['-1', false],
    ['NaN', false],
    ['٣', false],
  ])('are reported for non-integers (%p is valid: %p)', (text, good) => {
    expect(faultsOf(() => readConfig({ MAIL_CONCURRENCY: text })).length === 0).toBe(good);
  });

  it('never quote a secret, wherever it is written and whatever is wrong with it', () => {
    const canary = 'canary-7f3a';
    const environment = Object.fromEntries(
      Object.values(SCHEMA).flatMap((variable) => (variable.secret ? [[variable.env, canary]] : [])),
    );
    const texts = [
      faultsOf(() => readConfig(environment)),
      faultsOf(() => withYaml(`email: {smtp: {password: {${canary}: 1}}}`)),
      faultsOf(() => withYaml(`email:\n  smtp:\n    password: "${canary}": no\n`)),
      faultsOf(() => withYaml(`email:\n  smtp:\n    password: *${canary}\n`)),
      faultsOf(() => withYaml(`email:\n  smtp:\n    password: @${canary}\n`)),
      faultsOf(() => withYaml(`email:\n  smtp:\n    password: '${canary}\n`)),
      faultsOf(() => withYaml(`auth:\n  jwt_secret: !!${canary} x\n`)),
    ];
    for (const faults of texts) expect(faults.length).toBeGreaterThan(0);
    expect(JSON.stringify(texts)).not.toContain(canary);
  });
});

describe('ITEM_URL', () => {
  test.each([
    ['https://front.example/{tenant}/{type}/{id}', null],
    ['http://front.example/#/items?id={id}', null],
    ['https://front.example/{type}', 'must be an http or https URL with {id}'],
    ['https://front.example/{id}/{slug}', 'must be an http or https URL with {id}'],
    ['javascript:alert({id})', 'must be an http or https URL with {id}'],
    ['/items/{id}', 'must be an http or https URL with {id}'],
  ])('M4: %s', (pattern, fault) => {
    const read = () => readConfig({ ITEM_URL: pattern });
    if (fault === null) expect(read().itemUrl).toBe(pattern);
    else expect(read).toThrow(fault);
  });
});

describe('publicUrl', () => {
  it('has no trailing slash', () => {
    expect(publicUrl(readConfig({ VIGIE_PUBLIC_URL: 'https://vigie.example.fr//' }))).toBe(
      'https://vigie.example.fr',
    );
    expect(publicUrl(readConfig({ PORT: '81' }))).toBe('http://localhost:81');
  });
});
