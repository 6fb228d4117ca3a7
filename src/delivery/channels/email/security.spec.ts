import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { SMTPServer } from 'smtp-server';
import { startMailCatcher } from '../../../cli/demo/mail-catcher.js';
import { startScriptedSmtp, type ScriptedSmtpOptions } from './scripted-smtp.fixture.js';
import { selfSigned } from '../../../../test/support/self-signed.js';
import { mailTo, QUICK, testSender } from './sender.fixture.js';
import { closeAll, closing, outcome, reason, TestLease } from '../sending.fixture.js';
import { wordsOf } from './words.js';

const LOGIN = { user: 'vigie', password: 'correct horse' };

/** The messages of a send and of the connection test against a scripted server, and what the server received. */
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

  it('required from a server that only knows HELO: no mail', async () => {
    const script: ScriptedSmtpOptions = {
      script: (step) => (step === 'ehlo' ? { reply: '502 5.5.1 What is EHLO' } : 'ok'),
    };
    const { server } = await attempt(script, { ...LOGIN, starttls: true });
    expect(server.commands.join('\n')).not.toMatch(/AUTH|MAIL|DATA/);
  });

  it('M6: with a self-signed certificate: refused before login and mail, naming the setting that helps', async () => {
    const catcher = closing(await startMailCatcher({ starttls: selfSigned(), login: LOGIN }));
    const test = await testSender(catcher.port, { ...LOGIN, starttls: true });
    const sending = test.sender.send(mailTo('a@client.example'), new TestLease());
    await expect(sending).rejects.toMatchObject({ failure: 'channel', cause: 'tls', with_message: false });
    const words =
      "The mail server's certificate is self-signed: set SMTP_CA_FILE to the PEM file of its authority, or to the certificate itself";
    expect(await reason(sending)).toBe(words);
    expect(await reason(test.sender.verify())).toBe(words);
    expect(catcher.count).toBe(0);
  });

  it('M6: with a certificate from a trusted authority: encrypts, logs in, sends', async () => {
    const certificate = selfSigned();
    const catcher = closing(await startMailCatcher({ starttls: certificate, login: LOGIN }));
    const test = await testSender(catcher.port, { ...LOGIN, starttls: true, ca: certificate.cert });
    await test.sender.verify();
    await test.sender.send(mailTo('a@client.example'), new TestLease());
    expect(catcher.count).toBe(1);
  });

  it('M9: is used if offered, even if not required', async () => {
    const { cert, key } = selfSigned();
    const sessions: boolean[] = [];
    const server = new SMTPServer({
      key,
      cert,
      onAuth: ({ username, password }, session, callback) => {
        sessions.push(session.secure);
        callback(null, username === LOGIN.user && password === LOGIN.password ? { user: 'x' } : {});
      },
      onData: (stream, session, callback) => {
        sessions.push(session.secure);
        stream.on('end', () => callback()).resume();
      },
    });
    closing({ close: () => new Promise<void>((resolve) => server.close(resolve)) });
    const listening = server.listen(0, '127.0.0.1');
    await once(listening, 'listening');
    const test = await testSender((listening.address() as AddressInfo).port, LOGIN);
    await test.sender.send(mailTo('a@client.example'), new TestLease());
    expect(sessions).toEqual([true, true]);
  });

  it.each([
    ['127.0.0.1', false, true],
    ['localhost', false, true],
    // Linux connects it to this machine, but its name means another one.
    ['0.0.0.0', false, false],
    ['0.0.0.0', true, true],
  ])(
    'M9: a login without STARTTLS at %s, permitted by the setting: %s, leaves: %s',
    async (host, plaintext_login, leaves) => {
      const server = closing(await startScriptedSmtp({ extensions: ['AUTH PLAIN'] }));
      const test = await testSender(server.port, { ...LOGIN, host, plaintext_login }, QUICK);
      const sending = test.sender.send(mailTo('a@client.example'), new TestLease());
      if (leaves) await sending;
      else {
        await expect(sending).rejects.toMatchObject({ failure: 'channel', cause: 'misconfigured' });
        expect(await reason(sending)).toContain('SMTP_ALLOW_PLAINTEXT_LOGIN=true allows');
      }
      expect(server.commands.some((line) => line.startsWith('AUTH'))).toBe(leaves);
      expect(server.received).toHaveLength(leaves ? 1 : 0);
    },
  );
});

describe('TLS from the first byte', () => {
  it('sends to a trusted server, and never in plain text to one without TLS', async () => {
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

describe('A refused login', () => {
  it('M2: is reported plainly, sends nothing, and closes the connection', async () => {
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
      failure: 'channel',
      cause: 'login',
      message: 'SMTP login refused (535)',
    });
    await closed;
    expect(server.commands).not.toContain('DATA');
    const closedAgain = new Promise<void>((resolve) => (server.onIdle = resolve));
    expect(await reason(test.sender.verify())).toBe('SMTP login refused (535)');
    await closedAgain;
    expect(server.connections).toBe(2);
  });

  it('M10: is not skipped if the server offers none, and says so', async () => {
    const script: ScriptedSmtpOptions = { extensions: [] };
    const { sent, verified, server } = await attempt(script, LOGIN);
    const words =
      'The mail server offers no login: unset SMTP_USER and SMTP_PASSWORD, or use its port for submission (587 or 465)';
    expect([sent, verified]).toEqual([words, words]);
    expect(server.received).toEqual([]);
    expect(server.commands.join('\n')).not.toContain('AUTH');
  });

  it.each([
    ['PLAIN', ['AHZpZ2llAGNvcnJlY3QgaG9yc2U=']],
    ['LOGIN', ['dmlnaWU=', 'Y29ycmVjdCBob3JzZQ==']],
  ])('uses %s if the server offers it', async (method, words) => {
    const server = closing(
      await startScriptedSmtp({
        extensions: [`AUTH ${method}`],
        script: (step) => (step === 'auth' && method === 'LOGIN' ? { reply: '334 VXNlcm5hbWU6' } : 'ok'),
        answers: { [words[0] ?? '']: '334 UGFzc3dvcmQ6', [words[1] ?? '']: '235 2.7.0 Welcome' },
      }),
    );
    const test = await testSender(server.port, LOGIN);
    await test.sender.verify();
    expect(server.commands.join(' ')).toContain(words.join(' '));
  });

  it('M2: of many connections at once is one login, and all of them fail with it', async () => {
    const server = closing(
      await startScriptedSmtp({
        extensions: ['AUTH PLAIN'],
        script: (step) => (step === 'auth' ? { reply: '535 5.7.8 No' } : 'ok'),
      }),
    );
    const test = await testSender(server.port, { ...LOGIN, max_connections: 10 });
    const sends = Array.from({ length: 10 }, (_, n) =>
      outcome(test.sender.send(mailTo(`a${n}@client.example`), new TestLease())),
    );
    expect(new Set(await Promise.all(sends))).toEqual(new Set(['channel login']));
    expect(server.commands.filter((line) => line.startsWith('AUTH'))).toHaveLength(1);
  });

  it('M2: without an answer ends after its own time limit', async () => {
    const server = closing(
      await startScriptedSmtp({
        extensions: ['AUTH PLAIN'],
        script: (step) => (step === 'auth' ? 'silence' : 'ok'),
      }),
    );
    const test = await testSender(server.port, LOGIN, { ...QUICK, login_ms: 300, socket_ms: 5_000 });
    const sending = test.sender.send(mailTo('a@client.example'), new TestLease());
    await expect(sending).rejects.toMatchObject({
      failure: 'channel',
      cause: 'unreachable',
      message: 'The mail server did not answer the login in time',
    });
  });
});

describe('A port whose protocol differs from the settings', () => {
  it('M10: SMTP_SSL at a port for STARTTLS is named', async () => {
    const { sent, verified } = await attempt({}, { tls: true });
    for (const words of [sent, verified])
      expect(words).toMatch(/^Port \d+ of the mail server does not use implicit TLS: unset SMTP_SSL/);
  });

  it('M10: a port that expects TLS, without SMTP_SSL, is named', async () => {
    const server = closing(
      await startScriptedSmtp({ script: (step) => (step === 'greeting' ? 'silence' : 'ok') }),
    );
    const test = await testSender(server.port, {}, { ...QUICK, greeting_ms: 200 });
    expect(await reason(test.sender.verify())).toBe(
      'The mail server sent no greeting in time: set SMTP_SSL=true if this port uses implicit TLS, or a longer SMTP_GREETING_TIMEOUT_SECONDS if it delays on purpose',
    );
    // Tests cannot listen on 465: the message uses the port of the settings.
    const late = Object.assign(new Error('Greeting never received'), { code: 'ETIMEDOUT' });
    const settings = { host: 'mail.example', port: 465, user: null, starttls: true, tls: false };
    expect(wordsOf(late, null, settings)).toBe(
      'No greeting from port 465, which uses implicit TLS: set SMTP_SSL=true',
    );
  });

  it('M10: a late greeting is awaited for as long as the setting says', async () => {
    const server = closing(
      await startScriptedSmtp({
        script: (step) => (step === 'greeting' ? delay(400).then(() => 'ok' as const) : 'ok'),
      }),
    );
    const patient = await testSender(server.port, {}, { ...QUICK, greeting_ms: 1_400 });
    await patient.sender.verify();
    const hasty = await testSender(server.port, {}, { ...QUICK, greeting_ms: 100 });
    expect(await reason(hasty.sender.verify())).toContain('SMTP_GREETING_TIMEOUT_SECONDS');
  });

  it('M10: sends the configured name in EHLO', async () => {
    const server = closing(await startScriptedSmtp());
    const test = await testSender(server.port, { ehlo_name: 'vigie.cabinet.example' });
    await test.sender.verify();
    expect(server.commands[0]).toBe('EHLO vigie.cabinet.example');
  });
});
