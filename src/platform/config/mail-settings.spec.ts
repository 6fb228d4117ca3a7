import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSigned } from '../../../test/support/self-signed.js';
import { ConfigurationError, configurationWarnings, readConfig } from './config.js';

const MAIL = { SMTP_HOST: 'mail.example.fr', SMTP_FROM_EMAIL: 'vigie@example.fr' };

function faultsOf(environment: Record<string, string>): readonly string[] {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults;
    throw error;
  }
  return [];
}

describe('the mail server', () => {
  it.each([
    ['smtp.gmail.com:587', 'must be a host name without a port: set SMTP_PORT'],
    ['smtp://smtp.gmail.com', 'must be a host name without smtp:// or another scheme'],
    ['user@mail.example.fr', 'must be a host name or an IP address'],
    ['mail example.fr', 'must be a host name or an IP address'],
    ['mail.example.fr/', 'must be a host name or an IP address'],
  ])('M10: refuses SMTP_HOST=%s with a clear message', (host, words) => {
    expect(faultsOf({ ...MAIL, SMTP_HOST: host })).toEqual([`SMTP_HOST ${words}`]);
  });

  it.each(['mail.example.fr', 'mail', 'mail_catcher', '192.0.2.7', '2001:db8::1', 'mail.example.fr.'])(
    'M10: accepts SMTP_HOST=%s',
    (host) => expect(readConfig({ ...MAIL, SMTP_HOST: host }).smtpHost).toBe(host),
  );

  it.each([
    ['vigie@localhost', 'must not end with @localhost: other servers reject such a sender'],
    ['a@xn--zz.example', 'must be one plain e-mail address, such as vigie@example.com'],
    ['a@example.c', 'must be one plain e-mail address, such as vigie@example.com'],
    ['Vigie <vigie@example.fr>', 'must be one plain e-mail address, such as vigie@example.com'],
  ])('M10: refuses SMTP_FROM_EMAIL=%s with a clear message', (address, words) => {
    expect(faultsOf({ ...MAIL, SMTP_FROM_EMAIL: address })).toEqual([`SMTP_FROM_EMAIL ${words}`]);
  });

  it.each([
    ['vigie', true],
    ['vigie.example.fr', true],
    ['[192.0.2.1]', true],
    ['[IPv6:2001:db8::1]', true],
    ['192.0.2.1', false],
    ['a b', false],
  ])('M10: accepts SMTP_EHLO_NAME=%s: %s', (name, taken) => {
    expect(faultsOf({ SMTP_EHLO_NAME: name })).toHaveLength(taken ? 0 : 1);
  });

  it('keeps caught mails only in development, of a mail catcher on this machine', () => {
    const caught = { ...MAIL, SMTP_HOST: '127.0.0.1', CAUGHT_MAILS_DIR: '/tmp/mails' };
    expect(faultsOf(caught)).toEqual([]);
    expect(faultsOf({ ...caught, NODE_ENV: 'production' })).toEqual([
      'CAUGHT_MAILS_DIR must not be set with NODE_ENV=production: caught mails are for development',
    ]);
    expect(faultsOf({ ...caught, ...MAIL })).toEqual([
      'CAUGHT_MAILS_DIR requires an SMTP_HOST on this machine: its mail catcher',
    ]);
  });

  it('M6: accepts a PEM file of certificates and refuses anything else', () => {
    const dir = mkdtempSync(join(tmpdir(), 'vigie-ca-'));
    try {
      const file = (name: string, text: string) => {
        writeFileSync(join(dir, name), text);
        return join(dir, name);
      };
      const { cert, key } = selfSigned();
      const good = file('ca.pem', `${cert}${selfSigned().cert}`);
      expect(readConfig({ SMTP_CA_FILE: good }).smtpCaFile).toBe(good);
      for (const bad of [
        file('key.pem', key),
        file('empty.pem', ''),
        file('cut.pem', cert.replace(/.{40}\n-----END/, '-----END')),
      ])
        expect(faultsOf({ SMTP_CA_FILE: bad })).toEqual([
          `SMTP_CA_FILE names a file without valid PEM certificates: ${bad}`,
        ]);
      expect(faultsOf({ SMTP_CA_FILE: join(dir, 'none') })).toEqual([
        `SMTP_CA_FILE names a file that cannot be read: ${join(dir, 'none')}`,
      ]);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

describe('the public address', () => {
  const production = { NODE_ENV: 'production' };

  it('M5: is required in production with a mail server on another machine; elsewhere its absence is a warning', () => {
    expect(configurationWarnings(readConfig(MAIL))).toEqual([
      'Links in mails point to http://localhost:3000 (VIGIE_PUBLIC_URL is unset), which other machines cannot open: set VIGIE_PUBLIC_URL',
    ]);
    expect(faultsOf({ ...MAIL, ...production })).toEqual([
      'VIGIE_PUBLIC_URL is required when SMTP_HOST is another machine: links in mails would point to localhost',
    ]);
    const url = { VIGIE_PUBLIC_URL: 'https://vigie.example.fr' };
    expect(faultsOf({ ...MAIL, ...production, ...url })).toEqual([]);
    expect(configurationWarnings(readConfig({ ...MAIL, ...url }))).toEqual([]);
  });

  it('M5: may be a loopback address, with a warning', () => {
    const local = { ...MAIL, ...production, VIGIE_PUBLIC_URL: 'http://localhost:3000' };
    expect(configurationWarnings(readConfig(local))).toHaveLength(1);
  });

  it.each(['localhost', '127.0.0.1', '::1', 'LOCALHOST.', 'mail.localhost'])(
    'M5: causes no warning when mails stay on this machine (%s)',
    (host) => {
      const config = readConfig({ ...MAIL, ...production, SMTP_HOST: host });
      expect(configurationWarnings(config)).toEqual([]);
    },
  );

  it.each([
    ['https://x.fr/?a=1#b', 'must not contain ? or #: paths are appended to it'],
    ['https://x.fr/?', 'must not contain ? or #: paths are appended to it'],
    ['https://x.fr/#b', 'must not contain ? or #: paths are appended to it'],
    ['https://u:p@x.fr', 'must not contain a user name or password'],
    ['https://u@x.fr', 'must not contain a user name or password'],
    ['ftp://x.fr', 'must be a URL that begins with http:// or https://'],
  ])('M5: refuses the base URL %s', (url, words) => {
    expect(faultsOf({ VIGIE_PUBLIC_URL: url })).toEqual([`VIGIE_PUBLIC_URL ${words}`]);
  });
});
