import { startMailCatcher, type MailCatcher } from '../../../cli/demo/mail-catcher.js';
import { EmailSender } from './email.sender.js';
import { startScriptedSmtp } from './scripted-smtp.fixture.js';
import { mailTo, QUICK, testSender, type TestSender } from './sender.fixture.js';
import { closeAll, closing, outcome, reason, TestLease } from '../sending.fixture.js';

afterEach(closeAll);

describe('EmailSender', () => {
  let catcher: MailCatcher;
  let test: TestSender;

  beforeEach(async () => {
    catcher = closing(await startMailCatcher());
    test = await testSender(catcher.port, { from_email: 'vigie@société.example', from_name: 'Café & Fils' });
  });

  it('sends subject, both bodies, sender and the headers of an automatic mail', async () => {
    const unsubscribe_url = 'https://vigie.example/unsubscribe/abc?x=1';
    const receipt = await test.sender.send(
      mailTo('anne@Crédit.example', { message_id: '0190-42', unsubscribe_url }),
      new TestLease(),
    );
    expect(receipt).toEqual({ provider_id: null });
    expect(catcher.mails).toHaveLength(1);
    const mail = catcher.mails[0]!;
    expect(mail).toMatchObject({
      message_id: '<0190-42@xn--socit-esab.example>',
      from: 'vigie@société.example',
      to: ['anne@crédit.example'],
      subject: 'Échéance TVA CA3',
    });
    expect(mail.html).toContain('Déclaration à déposer le 24.');
    expect(mail.text).toContain('Déclaration à déposer le 24.');
    expect(mail.headers.get('auto-submitted')).toBe('auto-generated');
    expect(mail.headers.get('list-unsubscribe')).toBe(`<${unsubscribe_url}>`);
    expect(mail.headers.get('list-unsubscribe-post')).toBe('List-Unsubscribe=One-Click');
    expect(mail.headers.get('from')).toBe('Café & Fils <vigie@xn--socit-esab.example>');
  });

  it('writes international domains in punycode on the wire', async () => {
    const server = closing(await startScriptedSmtp());
    const named = await testSender(server.port, { from_email: 'vigie@société.example' });
    await named.sender.send(mailTo('anne@Crédit.example'), new TestLease());
    expect(server.commands).toContain('MAIL FROM:<vigie@xn--socit-esab.example>');
    expect(server.commands).toContain('RCPT TO:<anne@xn--crdit-csa.example>');
    expect(server.received[0]!.body).toContain('To: anne@xn--crdit-csa.example\n');
  });

  it('stores the server’s own id of the mail', async () => {
    const server = closing(await startScriptedSmtp());
    const other = await testSender(server.port);
    expect(await other.sender.send(mailTo('a@client.example'), new TestLease())).toEqual({
      provider_id: 'SCRIPTED1',
    });
  });

  it('keeps the Message-ID on every attempt', async () => {
    await test.sender.send(mailTo('a@client.example', { message_id: 'same' }), new TestLease());
    await test.sender.send(mailTo('a@client.example', { message_id: 'same' }), new TestLease());
    expect(catcher.mails.map((mail) => mail.message_id)).toEqual(
      Array(2).fill('<same@xn--socit-esab.example>'),
    );
  });

  it('omits the unsubscribe headers without an unsubscribe URL, and one click without https', async () => {
    await test.sender.send(mailTo('a@client.example'), new TestLease());
    await test.sender.send(
      mailTo('b@client.example', { unsubscribe_url: 'http://localhost:3000/u/1' }),
      new TestLease(),
    );
    expect(catcher.mails[0]!.headers.has('list-unsubscribe')).toBe(false);
    expect(catcher.mails[1]!.headers.get('list-unsubscribe')).toBe('<http://localhost:3000/u/1>');
    expect(catcher.mails[1]!.headers.has('list-unsubscribe-post')).toBe(false);
  });

  it.each([
    'a@client.example\r\nBcc: b@client.example',
    'a@client.example,b@client.example',
    'A <a@client.example>',
    'a@client.example> SIZE=1\r\nRCPT TO:<b@client.example',
    'hélène@client.example',
    'a(comment)@client.example',
  ])('refuses the address %j for good, without a connection', async (to) => {
    expect(await outcome(test.sender.send(mailTo(to, { message_id: 'x' }), new TestLease()))).toBe(
      'permanent',
    );
    expect(catcher.count).toBe(0);
  });

  it('prevents header injection through subject, sender name, id or unsubscribe address', async () => {
    const inject = '\r\nBcc: evil@client.example\r\n\r\nevil body';
    const named = await testSender(catcher.port, { from_name: `Vigie${inject}` });
    await named.sender.send(
      mailTo('a@client.example', {
        subject: `Hi${inject}`,
        unsubscribe_url: `https://vigie.example/u${inject}`,
      }),
      new TestLease(),
    );
    const mail = catcher.mails[0]!;
    expect(mail.to).toEqual(['a@client.example']);
    expect(mail.headers.has('bcc')).toBe(false);
    expect(mail.subject).toBe('Hi Bcc: evil@client.example evil body');
    expect(mail.headers.get('list-unsubscribe')).toMatch(/^<https:\/\/vigie\.example\/u[^<>]*>$/);
    expect(mail.text).not.toContain('evil');
    for (const changes of [{ message_id: `x${inject}` }, { unsubscribe_url: 'javascript:alert(1)' }])
      expect(await outcome(test.sender.send(mailTo('a@client.example', changes), new TestLease()))).toBe(
        'permanent',
      );
  });

  it('reads no file and fetches nothing, whatever the body contains', async () => {
    const html = { path: '/etc/passwd' } as unknown as string;
    expect(await outcome(test.sender.send(mailTo('a@client.example', { html }), new TestLease()))).not.toBe(
      'sent',
    );
    expect(catcher.count).toBe(0);
  });

  it('sends 300 mails once each, over as many connections as allowed', async () => {
    const ids = Array.from({ length: 300 }, (_, n) => `n${n}`);
    await Promise.all(
      ids.map((message_id) =>
        test.sender.send(mailTo(`${message_id}@client.example`, { message_id }), new TestLease()),
      ),
    );
    const got = (await catcher.waitFor(300)).map((mail) => mail.message_id.slice(1).split('@')[0]);
    expect(got.sort()).toEqual(ids.sort());
  });

  it('sends nothing under an expired lease', async () => {
    for (const end of ['expire', 'lose'] as const) {
      const lease = new TestLease();
      lease[end]();
      expect(await reason(test.sender.send(mailTo('a@client.example'), lease))).toBe(
        'lease lost before the message was sent',
      );
    }
    expect(catcher.count).toBe(0);
  });

  it('does not start with an invalid sender address', () => {
    const settings = { ...test.settings, from_email: 'A <a@b.example>' };
    expect(() => new EmailSender(test.mailer, settings, QUICK)).toThrow('not a single plain e-mail address');
  });

  it('finishes mails in flight when closed, and accepts no more', async () => {
    const sending = [1, 2, 3].map((n) =>
      outcome(test.sender.send(mailTo(`a${n}@client.example`), new TestLease())),
    );
    await catcher.waitFor(1);
    await test.sender.close();
    const got = await Promise.all(sending);
    expect(got.filter((failure) => failure === 'sent')).toHaveLength(catcher.count);
    expect(got.every((failure) => failure === 'sent' || failure === 'retryable')).toBe(true);
    expect(await outcome(test.sender.send(mailTo('late@client.example'), new TestLease()))).toBe('retryable');
  });
});
