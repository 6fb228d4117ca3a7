import { readConfig } from '../config/config.js';
import { startNotices } from './notices.js';

function events(environment: Record<string, string>, token: string | null = null): string[] {
  const config = readConfig({ SMTP_HOST: '127.0.0.1', SMTP_FROM_EMAIL: 'a@b.example', ...environment });
  return startNotices(config, token, Object.keys(environment)).map(({ event }) => event);
}

describe('R13: the last lines of a start', () => {
  it('R13: are absent when nothing is missing', () => {
    expect(events({})).toEqual([]);
  });

  it('R13: say how to create the first operator, that mails are off, and which name is misspelled', () => {
    const config = readConfig({});
    const notices = startNotices(config, 'first-token', ['SMTP_HOSTS']);
    expect(notices).toEqual([
      { event: 'configuration_warning', hint: expect.stringContaining('did you mean SMTP_HOST?') },
      {
        event: 'no_operator',
        hint: expect.stringMatching(/first-run#token=first-token .*vigie operators create/),
      },
      { event: 'email_not_configured', hint: expect.stringContaining('SMTP_HOST') },
    ]);
  });

  it.each([
    [{ HOST: '0.0.0.0' }, true],
    [{ HOST: '::' }, true],
    [{ HOST: '192.0.2.1', VIGIE_PUBLIC_URL: 'http://vigie.example' }, true],
    [{ HOST: '0.0.0.0', VIGIE_PUBLIC_URL: 'https://vigie.example' }, false],
    [{ HOST: '0.0.0.0', TRUST_PROXY: '10.0.0.1' }, false],
    [{ HOST: '0.0.0.0', VIGIE_ROLES: 'worker' }, false],
    [{ HOST: 'localhost' }, false],
    [{ HOST: '::1' }, false],
  ])('R13: warn of plain HTTP for other machines, with %p: %p', (environment, warned) => {
    expect(events(environment as Record<string, string>).includes('plain_http')).toBe(warned);
  });

  it('S8: a server listens on loopback unless HOST says otherwise', () => {
    expect(readConfig({}).host).toBe('127.0.0.1');
    expect(events({})).not.toContain('plain_http');
  });
});
