import { type MailCatcher, startMailCatcher } from '../../../cli/demo/mail-catcher.js';
import { displayName, oneLine } from './headers.js';
import { startScriptedSmtp } from './scripted-smtp.fixture.js';
import { mailTo, testSender, type TestSender } from './sender.fixture.js';
import { closeAll, closing, TestLease } from '../sending.fixture.js';
import type { OutgoingMail } from './email.sender.js';

afterEach(closeAll);

const LIST = { id: '0190-7', name: 'Cabinet Horizon & Fils' };
const CLAIRE = { name: 'Claire Dupont', email: 'claire@cabinet.example' };

describe('The headers of a mail', () => {
  let catcher: MailCatcher;
  let test: TestSender;

  beforeEach(async () => {
    catcher = closing(await startMailCatcher());
    test = await testSender(catcher.port);
  });

  async function sent(changes: Partial<OutgoingMail>) {
    await test.sender.send(mailTo('a@client.example', changes), new TestLease());
    return catcher.mails.at(-1)!;
  }

  it('M8: a colleague’s message has the author’s name, and replies go there', async () => {
    const { headers } = await sent({ author: CLAIRE, list: LIST });
    expect(headers.get('from')).toBe('Claire Dupont via Vigie <vigie@cabinet.example>');
    expect(headers.get('reply-to')).toBe('Claire Dupont <claire@cabinet.example>');
    for (const name of ['auto-submitted', 'x-auto-response-suppress', 'list-id'])
      expect(headers.has(name)).toBe(false);
  });

  it('M8: an author without an address has only a name', async () => {
    const { headers } = await sent({ author: { name: 'Claire', email: null } });
    expect(headers.get('from')).toBe('Claire via Vigie <vigie@cabinet.example>');
    expect(headers.has('reply-to')).toBe(false);
  });

  it('M8: an author’s name cannot inject an address or header', async () => {
    const name = 'Vigie" <a@evil.example>,\r\nBcc: b@evil.example =?utf-8?q?=22?=';
    const mail = await sent({ author: { name, email: CLAIRE.email } });
    expect(mail.from).toBe('vigie@cabinet.example');
    expect(mail.to).toEqual(['a@client.example']);
    expect(mail.headers.has('bcc')).toBe(false);
    expect(mail.headers.get('from')).toMatch(/<vigie@cabinet\.example>$/);
  });

  it('M10: a message of the system suppresses automatic replies and belongs to its list', async () => {
    const { headers } = await sent({ list: LIST });
    expect(headers.get('auto-submitted')).toBe('auto-generated');
    expect(headers.get('x-auto-response-suppress')).toBe('DR, RN, NRN, OOF, AutoReply');
    expect(headers.get('list-id')).toBe('"Cabinet Horizon & Fils" <0190-7.vigie.cabinet.example>');
  });

  it('M10: the stages of one fact refer to one root', async () => {
    const [first, second] = [
      await sent({ message_id: 'one', thread_id: 'alert-1' }),
      await sent({ message_id: 'two', thread_id: 'alert-1' }),
    ];
    expect(first.headers.get('references')).toBe('<alert-1.fact@cabinet.example>');
    expect(second.headers.get('references')).toBe('<alert-1.fact@cabinet.example>');
    expect((await sent({})).headers.has('references')).toBe(false);
  });

  it('M10: a subject that looks like an encoded word is shown literally', async () => {
    const subject = '=?utf-8?q?=0D=0ABcc:_x@y.z?=';
    const mail = await sent({ subject });
    expect(mail.subject).toBe(subject);
    expect(mail.headers.has('bcc')).toBe(false);
    const mixed = `Échéance ${subject} ${'très longue '.repeat(20)}fin`;
    expect((await sent({ subject: mixed })).subject).toBe(mixed);
  });

  it('M10: keeps the non-breaking spaces of a French subject', async () => {
    const subject = '7\u00a0échéances\u202f: TVA «\u00a0CA3\u00a0»';
    expect((await sent({ subject })).subject).toBe(subject);
  });

  it('RFC 8058: has the address to unsubscribe in one line, for signatures', async () => {
    const server = closing(await startScriptedSmtp());
    const other = await testSender(server.port);
    const unsubscribe_url = `https://vigie.example/unsubscribe/${'a'.repeat(180)}`;
    await other.sender.send(mailTo('a@client.example', { unsubscribe_url }), new TestLease());
    const lines = (server.received[0]!.body.split('\n\n')[0] ?? '').split('\n');
    expect(lines).toContain(`List-Unsubscribe: <${unsubscribe_url}>`);
    expect(lines).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click');
  });

  it('M10: writes lines of at most 998 characters, and headers in ASCII', async () => {
    const server = closing(await startScriptedSmtp());
    const other = await testSender(server.port, { from_name: 'Société' });
    const subject = `=?utf-8?q?x?= ${'é'.repeat(600)}`;
    await other.sender.send(
      mailTo('a@client.example', { subject, author: CLAIRE, list: { id: 'x', name: 'é'.repeat(300) } }),
      new TestLease(),
    );
    const head = server.received[0]!.body.split('\n\n')[0] ?? '';
    expect(head).toMatch(/^[\x20-\x7e\n]*$/);
    expect(Math.max(...head.split('\n').map((line) => line.length))).toBeLessThan(998);
  });
});

describe('oneLine', () => {
  it.each([
    ['a\r\n b\tc', 'a b c'],
    ['a\u2028b\u2029c\u0000d', 'a b c d'],
    ['abc\u202edef\u2066g', 'abcdefg'],
    ['3\u00a0: \u202f!', '3\u00a0: \u202f!'],
  ])('M10: %j becomes %j', (text, line) => {
    expect(oneLine(text)).toBe(line);
  });

  it('M10: a name contains no encoded word', () => {
    expect(displayName('=?utf-8?q?x?=')).toBe('= ?utf-8?q?x?=');
  });
});
