import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSigned } from '../../../test/support/self-signed.js';
import { startScriptedSmtp } from '../../delivery/channels/email/scripted-smtp.fixture.js';
import { type MailCatcherOptions, startMailCatcher } from '../demo/mail-catcher.js';
import { check, finding, NOWHERE } from './doctor.fixture.js';
import { startDns } from './dns.fixture.js';

/** E13: `vigie doctor` finds each fault on the way of a mail, and names its remedy. */

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const mailSettings = (port: number, more: Record<string, string> = {}) => ({
  ...NOWHERE,
  SMTP_HOST: '127.0.0.1',
  SMTP_PORT: String(port),
  SMTP_TLS: 'false',
  SMTP_FROM_EMAIL: 'vigie@firm.fr',
  ...more,
});
const LOGIN = { SMTP_USER: 'vigie', SMTP_PASSWORD: 'a-secret-word' };

async function catcher(options: MailCatcherOptions = {}) {
  const started = await startMailCatcher(options);
  closing.push(() => started.close());
  return started;
}
const mail = (port: number, more?: Record<string, string>) => check('mail_server', mailSettings(port, more));

describe('the mail server', () => {
  it('E13: accepts login and sender; no mail is sent', async () => {
    const server = await catcher({ login: { user: LOGIN.SMTP_USER, password: LOGIN.SMTP_PASSWORD } });
    expect(await mail(server.port, LOGIN)).toEqual([
      finding('ok', /logged in as vigie, and vigie@firm\.fr may send/),
    ]);
    expect(server.count).toBe(0);
    const open = await catcher();
    expect(await mail(open.port)).toEqual([finding('ok', /without a login/)]);
    expect(await mail(open.port, { EMAIL_ENABLED: 'false' })).toEqual([
      finding('ok', /may send/),
      finding('warning', /switched off/, /EMAIL_ENABLED/),
    ]);
  });

  it('E13: a wrong password, a closed port, an unknown host', async () => {
    const server = await catcher({ login: { user: 'vigie', password: 'another' } });
    const found = await mail(server.port, LOGIN);
    expect(found).toEqual([finding('fault', /SMTP login refused/, /Correct SMTP_USER and SMTP_PASSWORD/)]);
    expect(JSON.stringify(found)).not.toContain(LOGIN.SMTP_PASSWORD);
    expect(await mail(1)).toEqual([
      finding('fault', /refused the connection/, /Check SMTP_HOST and SMTP_PORT/),
    ]);
    expect(await mail(25, { SMTP_HOST: 'no-such-host.invalid', SMTP_TLS: 'true' })).toEqual([
      finding('fault', /name was not found/, /Correct SMTP_HOST/),
    ]);
  });

  it('M10: STARTTLS against implicit TLS, both ways, and a login that is not offered', async () => {
    const plain = await catcher();
    expect(await mail(plain.port, { SMTP_TLS: 'true' })).toEqual([
      finding('fault', /STARTTLS required but not offered/, /port with STARTTLS \(587\)/),
    ]);
    expect(await mail(plain.port, { SMTP_SSL: 'true' })).toEqual([
      finding('fault', /does not use implicit TLS/, /^Unset SMTP_SSL/),
    ]);
    const without = await startScriptedSmtp();
    closing.push(() => without.close());
    expect(await mail(without.port, LOGIN)).toEqual([
      finding('fault', /offers no login/, /^Unset SMTP_USER and SMTP_PASSWORD/),
    ]);
  });

  it('M6: an authority of a firm, and the setting that trusts it', async () => {
    const certificate = selfSigned();
    const server = await catcher({ starttls: certificate });
    const own = { SMTP_TLS: 'true' };
    expect(await mail(server.port, own)).toEqual([
      finding('fault', /self-signed/, /^Set SMTP_CA_FILE to the PEM file/),
    ]);
    const folder = await mkdtemp(join(tmpdir(), 'vigie-doctor-'));
    closing.push(() => rm(folder, { recursive: true }));
    const file = join(folder, 'ca.pem');
    await writeFile(file, certificate.cert);
    expect(await mail(server.port, { ...own, SMTP_CA_FILE: file })).toEqual([finding('ok', /may send/)]);
  });

  it('M7: a sender that the server refuses', async () => {
    const reply = '553 5.7.1 <vigie@firm.fr>: Sender address rejected: not owned by user vigie';
    const server = await startScriptedSmtp({
      extensions: ['AUTH PLAIN'],
      script: (step) => (step === 'mail' ? { reply } : 'ok'),
    });
    closing.push(() => server.close());
    expect(await mail(server.port, LOGIN)).toEqual([
      finding(
        'fault',
        /refuses the sender vigie@firm\.fr: 553 5\.7\.1/,
        /Set SMTP_FROM_EMAIL to an address that vigie may use/,
      ),
    ]);
    expect(server.received).toEqual([]);
  });

  it('M10: a server that delays its greeting is no fault while the setting allows it', async () => {
    const server = await startScriptedSmtp({ script: () => 'silence' });
    closing.push(() => server.close());
    expect(await mail(server.port)).toEqual([
      finding('warning', /no greeting within 4 s; deliveries wait 30 s/),
    ]);
  });
});

describe("the sender's domain", () => {
  const domain = async (records: Record<string, string[] | null>, selectors: string[] = []) => {
    const dns = await startDns(records);
    closing.push(() => dns.close());
    return check('sender_domain', mailSettings(587), { dnsServers: [dns.address], dkimSelectors: selectors });
  };
  const KEY = 'v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3';

  it('E13: SPF, DKIM and DMARC that are right', async () => {
    const records = {
      'firm.fr': ['google-site-verification=x', 'v=spf1 include:_spf.example -all'],
      'selector1._domainkey.firm.fr': [KEY],
      '_dmarc.firm.fr': ['v=DMARC1; p=reject'],
    };
    expect(await domain(records)).toEqual([
      finding('ok', /^SPF: v=spf1/),
      finding('ok', /^DKIM: key selector1$/),
      finding('ok', /^DMARC: /),
    ]);
    expect(await domain(records, ['other'])).toContainEqual(
      finding('fault', /no DKIM key with the selector other/, /Switch DKIM on/),
    );
  });

  it('E13: an SPF record that does not let the mail server send, or that is invalid', async () => {
    const spf = async (record: string) => {
      const dns = await startDns({ 'firm.fr': [record], 'failing.firm.fr': null });
      closing.push(() => dns.close());
      const settings = mailSettings(587, { SMTP_HOST: '192.0.2.3', SMTP_TLS: 'true' });
      return (await check('sender_domain', settings, { dnsServers: [dns.address] }))[0];
    };
    expect(await spf('v=spf1 ip4:192.0.2.0/24 -all')).toEqual(finding('ok', /^SPF: v=spf1/));
    expect(await spf('v=spf1 ip4:198.51.100.1 ~all')).toEqual(
      finding('warning', /does not let 192\.0\.2\.3 send.*send from other addresses/, /spf=pass/),
    );
    expect(await spf('v=spf1 a:a1.firm.fr a:a2.firm.fr a:a3.firm.fr -all')).toEqual(
      finding('warning', /more than two hosts without an IPv4 address/, /Remove/),
    );
    expect(await spf('v=spf1 include:failing.firm.fr -all')).toEqual(
      finding('note', /is not evaluated: DNS does not answer/),
    );
    expect(await spf('v=spf1 include:nowhere.firm.fr -all')).toEqual(
      finding('fault', /is invalid/, /Correct/),
    );
  });

  it.each(['10.1.2.3', '100.64.0.9', '169.254.7.7', 'fe80::1', 'fd00::1'])(
    'E13: a mail server inside the network, at %s, which sends from another address',
    async (host) => {
      const dns = await startDns({ 'firm.fr': ['v=spf1 ip4:198.51.100.1 -all'] });
      closing.push(() => dns.close());
      const settings = mailSettings(587, { SMTP_HOST: host, SMTP_TLS: 'true' });
      const [spf] = await check('sender_domain', settings, { dnsServers: [dns.address] });
      expect(spf).toEqual(finding('ok', /^SPF: v=spf1/));
    },
  );

  it('E13: an included domain whose DNS is silent costs no other finding', async () => {
    const dns = await startDns({
      'firm.fr': ['v=spf1 include:silent.example -all'],
      'silent.example': 'silent',
      'selector1._domainkey.firm.fr': [KEY],
      '_dmarc.firm.fr': ['v=DMARC1; p=reject'],
    });
    closing.push(() => dns.close());
    const settings = mailSettings(587, { SMTP_HOST: '192.0.2.3', SMTP_TLS: 'true' });
    expect(await check('sender_domain', settings, { dnsServers: [dns.address] })).toEqual([
      finding('note', /SPF record of firm\.fr is not evaluated/),
      finding('ok', /^DKIM: key selector1$/),
      finding('ok', /^DMARC: /),
    ]);
  });

  it('E13: no record at all', async () => {
    expect(await domain({ 'firm.fr': [] })).toEqual([
      finding('warning', /no SPF record/, /v=spf1 mx -all/),
      finding('warning', /no DKIM key/, /Switch DKIM on/),
      finding('warning', /no DMARC record/, /_dmarc\.firm\.fr/),
    ]);
  });

  it('E13: two SPF records, one for every machine, a revoked key', async () => {
    expect(await domain({ 'firm.fr': ['v=spf1 mx -all', 'v=spf1 a -all'] })).toContainEqual(
      finding('fault', /2 SPF records, so none counts/, /Merge/),
    );
    expect(
      await domain({ 'firm.fr': ['v=spf1 +all'], 'k._domainkey.firm.fr': ['v=DKIM1; p='] }, ['k']),
    ).toEqual([
      finding('warning', /lets every machine send/, /-all/),
      finding('fault', /DKIM key k of firm\.fr is revoked/),
      finding('warning', /no DMARC/),
    ]);
  });

  it('E13: a domain that does not exist is a fault; a DNS that does not answer is none', async () => {
    expect(await domain({})).toEqual([finding('fault', /firm\.fr does not exist in DNS/, /SMTP_FROM_EMAIL/)]);
    expect(await domain({ 'firm.fr': null })).toEqual([finding('note', /DNS does not answer/)]);
  });
});
