import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { startMailCatcher } from '../../../cli/demo/mail-catcher.js';
import { startScriptedSmtp, type ScriptedSmtpOptions } from './scripted-smtp.fixture.js';
import { selfSigned } from './self-signed.fixture.js';
import { closeAll, closing, mailTo, reason, TestLease, testSender } from './sender.fixture.js';

const LOGIN = { user: 'vigie', password: 'correct horse' };

/** The words of a send and of the connection test against a scripted server, and what it was sent. */
async function attempt(script: ScriptedSmtpOptions, settings: Parameters<typeof testSender>[1]) {
  const server = closing(await startScriptedSmtp(script));
  const test = await testSender(server.port, settings);
  const sent = await reason(test.sender.send(mailTo('a@client.example'), new TestLease()));
  const verified = await reason(test.sender.verify());
  return { sent, verified, server };
}

afterEach(closeAll);

describe('STARTTLS', () => {
  it.each([
    ['not offered', { extensions: ['AUTH PLAIN LOGIN', 'PIPELINING'] }],
    ['offered and refused', { extensions: ['STARTTLS', 'AUTH PLAIN'] }],
  ])('required but %s: no mail and no login in plain text', async (_, script) => {
    const { sent, verified, server } = await attempt(script, { ...LOGIN, starttls: true });
    expect(sent).toMatch(/^STARTTLS required but not offered/);
    expect(verified).toMatch(/^STARTTLS required but not offered/);
    expect(server.commands.join('\n')).not.toMatch(/AUTH|MAIL|DATA/);
    expect(server.received).toEqual([]);
  });

  it('required of a server that only knows HELO: no mail', async () => {
    const script: ScriptedSmtpOptions = {
      script: (step) => (step === 'ehlo' ? { reply: '502 5.5.1 What is EHLO' } : 'ok'),
    };
    const { server } = await attempt(script, { ...LOGIN, starttls: true });
    expect(server.commands.join('\n')).not.toMatch(/AUTH|MAIL|DATA/);
  });

  it('with a self-signed certificate: refused, before login and mail', async () => {
    const catcher = closing(await startMailCatcher({ starttls: selfSigned(), login: LOGIN }));
    const test = await testSender(catcher.port, { ...LOGIN, starttls: true });
    const sending = test.sender.send(mailTo('a@client.example'), new TestLease());
    await expect(sending).rejects.toMatchObject({ failure: 'retryable' });
    expect(await reason(sending)).toBe("The mail server's certificate is self-signed");
    expect(await reason(test.sender.verify())).toBe("The mail server's certificate is self-signed");
    expect(catcher.count).toBe(0);
  });

  it('with a certificate from a trusted authority: encrypts, logs in, sends', async () => {
    const certificate = selfSigned();
    const catcher = closing(await startMailCatcher({ starttls: certificate, login: LOGIN }));
    const test = await testSender(catcher.port, { ...LOGIN, starttls: true, ca: certificate.cert });
    await test.sender.verify();
    await test.sender.send(mailTo('a@client.example'), new TestLease());
    expect(catcher.count).toBe(1);
  });

  it('is left alone where it is not asked for', async () => {
    const catcher = closing(await startMailCatcher({ starttls: selfSigned() }));
    const test = await testSender(catcher.port);
    await test.sender.send(mailTo('a@client.example'), new TestLease());
    expect(catcher.count).toBe(1);
  });
});

describe('TLS from the first byte', () => {
  it('sends to a trusted server, and never in plain text to one that does not speak it', async () => {
    const { key, cert } = selfSigned();
    let secure: boolean | null = null;
    const server = new SMTPServer({
      secure: true,
      key,
      cert,
      authOptional: true,
      onData: (stream, session, callback) => {
        secure = session.secure;
        stream.on('end', () => callback()).resume();
      },
    });
    closing({ close: () => new Promise<void>((resolve) => server.close(resolve)) });
    const listening = server.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    const test = await testSender((listening.address() as AddressInfo).port, { tls: true, ca: cert });
    await test.sender.send(mailTo('a@client.example'), new TestLease());
    expect(secure).toBe(true);

    const plain = await attempt({}, { ...LOGIN, tls: true });
    expect(plain.server.received).toEqual([]);
    expect(plain.server.commands.join('\n')).not.toMatch(/AUTH|MAIL/);
  });
});

describe('A login that is refused', () => {
  it('is told plainly, sends nothing, and closes the connection', async () => {
    const server = closing(
      await startScriptedSmtp({
        extensions: ['AUTH PLAIN'],
        script: (step) =>
          step === 'auth' ? { reply: '535 5.7.8 AHZpZ2llAGNvcnJlY3QgaG9yc2U= is wrong' } : 'ok',
      }),
    );
    const closed = new Promise<void>((resolve) => (server.onIdle = resolve));
    const test = await testSender(server.port, LOGIN);
    const sending = test.sender.send(mailTo('a@client.example'), new TestLease());
    await expect(sending).rejects.toMatchObject({
      failure: 'retryable',
      message: 'SMTP login refused (535)',
    });
    await closed;
    expect(server.commands).not.toContain('DATA');
    const closedAgain = new Promise<void>((resolve) => (server.onIdle = resolve));
    expect(await reason(test.sender.verify())).toBe('SMTP login refused (535)');
    await closedAgain;
    expect(server.connections).toBe(2);
  });

  it('is not skipped where the server offers none', async () => {
    const script: ScriptedSmtpOptions = {
      extensions: [],
      script: (step) => (step === 'auth' ? { reply: '503 5.5.1 No AUTH here' } : 'ok'),
    };
    const { sent, verified, server } = await attempt(script, LOGIN);
    expect([sent, verified]).toEqual(['SMTP login refused (503)', 'SMTP login refused (503)']);
    expect(server.received).toEqual([]);
  });
});
