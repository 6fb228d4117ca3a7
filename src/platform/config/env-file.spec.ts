import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { ConfigurationError, readConfig } from './config.js';
import { withEnvFile } from './env-file.js';
import { nearMisses } from './near-misses.js';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vigie-env-'));
  chmodSync(folder, 0o755);
  path = join(folder, '.env');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (text: string | Buffer) => writeFileSync(path, text);

function faultsOf(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults;
    throw error;
  }
  throw new Error('no fault');
}

describe('R5: .env', () => {
  it('R5: is read; the environment takes precedence, even when empty', () => {
    write('PORT=4000\nLOG_LEVEL=warn\nSMTP_HOST=mail.example\n');
    const environment = withEnvFile({ LOG_LEVEL: 'debug', SMTP_HOST: '', VIGIE_ENV_FILE: path });
    expect(environment).toMatchObject({ PORT: '4000', LOG_LEVEL: 'debug', SMTP_HOST: '' });
    const config = readConfig(environment);
    expect([config.port, config.logLevel, config.smtpHost]).toEqual([4000, 'debug', null]);
  });

  it('R5: may be missing unless it is named, and is skipped when an empty name disables it', () => {
    expect(run('cli/vigie.js', ['try'], { PORT: '9' }).stdout).toContain('127.0.0.1:9');
    expect(faultsOf(() => withEnvFile({ VIGIE_ENV_FILE: path }))).toEqual([
      `${path} cannot be read (ENOENT)`,
    ]);
    write('oops');
    expect(run('cli/vigie.js', ['try'], { PORT: '9', VIGIE_ENV_FILE: '' }).stdout).toContain('127.0.0.1:9');
  });

  it('R5: is written in the usual syntax', () => {
    const text = [
      '# a comment',
      '',
      '  # another',
      'PLAIN=value',
      ' SPACED = a b c  ',
      'EMPTY=',
      'export EXPORTED=yes',
      'COMMENTED=a # comment',
      `SINGLE='a # $b "c"'`,
      'DOUBLE="a # b" # comment',
      'EQUALS=postgres://u:p@h/d?a=b&c=d',
      'BASE64=abc+/==',
      'UNICODE=Étude Durand',
    ].join('\r\n');
    write(`\uFEFF${text}`);
    const expected = {
      PLAIN: 'value',
      SPACED: 'a b c',
      EMPTY: '',
      EXPORTED: 'yes',
      COMMENTED: 'a',
      SINGLE: 'a # $b "c"',
      DOUBLE: 'a # b',
      EQUALS: 'postgres://u:p@h/d?a=b&c=d',
      BASE64: 'abc+/==',
      UNICODE: 'Étude Durand',
    };
    // As Node.js reads it. Node 20 fails on the indented comment.
    expect(parseEnv(text.replaceAll('\r', '').replace('  # another\n', ''))).toEqual(expected);
    expect(withEnvFile({ VIGIE_ENV_FILE: path })).toEqual({ ...expected, VIGIE_ENV_FILE: path });
  });

  it.each([
    ['PORT 3000', 'line 2 is not NAME=VALUE'],
    ['PORT: 3000', 'line 2 is not NAME=VALUE'],
    ['JWT-SECRET=s3cret', 'line 2 is not NAME=VALUE'],
    ['=s3cret', 'line 2 is not NAME=VALUE'],
    ['JWT_SECRET="s3cret', 'line 2 is not NAME=VALUE'],
    [`JWT_SECRET='s3cret`, 'line 2 is not NAME=VALUE'],
    ['JWT_SECRET="s3" cret', 'line 2 is not NAME=VALUE'],
    ['{"PORT": 3000}', 'line 2 is not NAME=VALUE'],
    ['JWT_SECRET=s3cret#s3cret', 'line 2 has a # in the value of JWT_SECRET: put the value in quotes'],
    ['LOG_LEVEL=info', 'line 2 sets LOG_LEVEL again, after line 1'],
  ])('R5: reports the fault %p by line, without its value', (line, fault) => {
    write(`LOG_LEVEL=warn\n${line}\nPORT=1\n`);
    const faults = faultsOf(() => withEnvFile({ VIGIE_ENV_FILE: path }));
    expect(faults).toEqual([`${path} ${fault}`]);
    expect(faults.join()).not.toContain('s3cret');
  });

  it.each([
    ['a folder', () => mkdirSync(path), 'is a folder: it must be a file, or not exist'],
    ['binary', () => write(Buffer.from([0x50, 0x3d, 0xff, 0xfe])), 'is not a UTF-8 text file'],
    ['UTF-16', () => write(Buffer.from('PORT=1\n', 'utf16le')), 'is not a UTF-8 text file'],
    ['huge', () => write('A=1\n'.repeat(20_000)), 'has more than 65536 bytes'],
  ])('R5: reports %s', (_what, make, fault) => {
    make();
    expect(faultsOf(() => withEnvFile({ VIGIE_ENV_FILE: path }))).toEqual([`${path} ${fault}`]);
  });

  it('R5: reports the first faults of a file of another kind', () => {
    write('word\n'.repeat(1_000));
    expect(faultsOf(() => withEnvFile({ VIGIE_ENV_FILE: path }))).toHaveLength(10);
  });

  /** Runs the built program in a separate folder, as an ordinary user when this process is root. */
  function run(program: string, args: readonly string[] = [], environment: Record<string, string> = {}) {
    return spawnSync(process.execPath, [resolve('dist', program), ...args], {
      cwd: folder,
      env: { PATH: process.env.PATH, ...environment },
      encoding: 'utf8',
    });
  }

  it('R5: the server reads it, and exits with 1 and a clear error when it has a fault', () => {
    write('PORT=4000\nthis is no setting\n');
    expect(run('main.js')).toMatchObject({
      status: 1,
      stdout: '',
      stderr: 'The configuration is not valid:\n  - .env line 2 is not NAME=VALUE\n',
    });
    write('PORT=seven\n');
    expect(run('main.js').stderr).toContain('PORT must be a whole number');
  });

  it('R5: the command line reads it', () => {
    write('VIGIE_PUBLIC_URL=http://127.0.0.1:9\n');
    expect(run('cli/vigie.js', ['try']).stdout).toContain('http://127.0.0.1:9');
    write('oops\n');
    expect(run('cli/vigie.js', ['try'])).toMatchObject({
      status: 1,
      stderr: 'The configuration is not valid:\n  - .env line 1 is not NAME=VALUE\n',
    });
  });

  it('R13: the command line requires no e-mail settings', () => {
    write('SMTP_HOST=mail.example\nSMTP_PORT=many\nSMTP_USER=compta\nNODE_ENV=production\n');
    const { stdout, stderr } = run('cli/vigie.js', ['try', '--url', 'http://127.0.0.1:9']);
    expect(stdout).toContain('http://127.0.0.1:9');
    expect(stdout + stderr).not.toContain('SMTP');
    const queues = run('cli/vigie.js', ['queues']);
    expect(queues.stderr).toContain('no Vigie with embedded services runs on');
  });
});

describe('R5: a name that is nearly a setting', () => {
  it('is pointed out', () => {
    expect(nearMisses(['SMTP_HOSTS', 'VIGIE_DATADIR', 'JWT_SECRETS'])).toEqual([
      'JWT_SECRETS is not a setting and is ignored; did you mean JWT_SECRET?',
      'SMTP_HOSTS is not a setting and is ignored; did you mean SMTP_HOST?',
      'VIGIE_DATADIR is not a setting and is ignored; did you mean VIGIE_DATA_DIR?',
    ]);
  });

  it('is ignored when it belongs to another program, compose or a secret file', () => {
    const others = [
      'PATH',
      'HOSTS',
      'PORTS',
      'LANG',
      'VIGIE_PORT',
      'VIGIE_OWNER_PASSWORD',
      'POSTGRES_PASSWORD',
    ];
    expect(nearMisses([...others, 'JWT_SECRET_FILE', 'VIGIE_CONFIG', 'SMTP_HOST'])).toEqual([]);
  });
});
