import { startScriptedSmtp, type Act, type ScriptedSmtp, type Step } from './scripted-smtp.fixture.js';
import { mailTo, QUICK, testSender, type TestSender } from './sender.fixture.js';
import { closeAll, closing, outcome, reason, TestLease } from '../sending.fixture.js';

/** The expected result of each fault. The recipient's local part selects the fault: `reset.rcpt@…`. */
const FAULTS: { act: string; step: Step; failure: string; arrives: number }[] = [
  { act: 'reset', step: 'rcpt', failure: 'channel unreachable', arrives: 0 },
  { act: 'reset', step: 'data', failure: 'channel unreachable', arrives: 0 },
  { act: 'reset', step: 'dot', failure: 'ambiguous', arrives: 1 },
  { act: 'close', step: 'rcpt', failure: 'channel unreachable', arrives: 0 },
  { act: 'close', step: 'data', failure: 'channel unreachable', arrives: 0 },
  { act: 'close', step: 'dot', failure: 'ambiguous', arrives: 1 },
  { act: 'silence', step: 'rcpt', failure: 'channel unreachable', arrives: 0 },
  { act: 'silence', step: 'data', failure: 'channel unreachable', arrives: 0 },
  { act: 'silence', step: 'dot', failure: 'ambiguous', arrives: 1 },
  { act: 'trickle', step: 'rcpt', failure: 'channel unreachable', arrives: 0 },
  { act: 'trickle', step: 'dot', failure: 'ambiguous', arrives: 1 },
  { act: '421', step: 'rcpt', failure: 'channel unreachable', arrives: 0 },
  { act: '421', step: 'data', failure: 'channel unreachable', arrives: 0 },
  { act: '421', step: 'dot', failure: 'channel unreachable', arrives: 1 },
  { act: '451', step: 'rcpt', failure: 'retryable', arrives: 0 },
  { act: '451', step: 'data', failure: 'retryable', arrives: 0 },
  { act: '451', step: 'dot', failure: 'retryable', arrives: 1 },
  { act: '550', step: 'rcpt', failure: 'permanent', arrives: 0 },
  { act: '550', step: 'data', failure: 'permanent', arrives: 0 },
  { act: '550', step: 'dot', failure: 'permanent', arrives: 1 },
];

const SLOW = /silence|trickle/;

function actOf(word: string): Act {
  return /^\d/.test(word) ? { reply: `${word} 4.0.0 scripted` } : (word as Act);
}

/** Acts by the recipient's local part; other recipients get normal replies. */
function byRecipient(step: Step, to: string | null): Act {
  const [act = '', at] = (to ?? '').split('@')[0]?.split('.') ?? [];
  return at === step ? actOf(act) : 'ok';
}

afterEach(closeAll);

describe('A mail server that fails', () => {
  let server: ScriptedSmtp;
  let test: TestSender;

  it.each([true, false])(
    'every fault among good mails, six connections, pipelining: %s',
    async (pipelining) => {
      server = closing(
        await startScriptedSmtp({
          script: (step, { to }) => byRecipient(step, to),
          extensions: pipelining ? ['PIPELINING'] : [],
        }),
      );
      test = await testSender(server.port, { max_connections: 6 }, QUICK);
      // Silence is slow, and the same with and without pipelining.
      const some = pipelining ? FAULTS : FAULTS.filter(({ act }) => !SLOW.test(act));
      const faults = some.flatMap((fault) =>
        (SLOW.test(fault.act) ? [1] : [1, 2]).map((n) => ({
          ...fault,
          to: `${fault.act}.${fault.step}.${n}@client.example`,
        })),
      );
      const good = faults.map((_, i) => ({ failure: 'sent', arrives: 1, to: `good.${i}@client.example` }));
      // One good mail after each faulty one.
      const all = faults.flatMap((fault, i) => [fault, good[i] ?? fault]);

      // Like a worker: sends a few more at a time than there are connections.
      const got: { to: string; failure: string }[] = [];
      for (let i = 0; i < all.length; i += 8)
        got.push(
          ...(await Promise.all(
            all.slice(i, i + 8).map(async ({ to }) => ({
              to,
              failure: await outcome(test.sender.send(mailTo(to), new TestLease())),
            })),
          )),
        );

      expect(got).toEqual(all.map(({ to, failure }) => ({ to, failure })));
      const arrived = all.map(({ to }) => ({
        to,
        arrives: server.received.filter((mail) => mail.to === to).length,
      }));
      expect(arrived).toEqual(all.map(({ to, arrives }) => ({ to, arrives })));
    },
  );

  it.each<Act>(['reset', 'close', 'silence', 'trickle', { reply: '421 busy' }, { reply: '554 go away' }])(
    'M2: at the greeting: %j is the channel',
    async (act) => {
      server = closing(await startScriptedSmtp({ script: (step) => (step === 'greeting' ? act : 'ok') }));
      test = await testSender(server.port, {}, QUICK);
      const sends = [1, 2, 3, 4, 5].map((n) =>
        outcome(test.sender.send(mailTo(`a${n}@client.example`), new TestLease())),
      );
      const cause = typeof act === 'object' && act.reply.startsWith('5') ? 'policy' : 'unreachable';
      expect(new Set(await Promise.all(sends))).toEqual(new Set([`channel ${cause}`]));
      expect(server.commands).not.toContain('DATA');
    },
  );

  it.each<Act>(['reset', 'silence', { reply: '421 busy' }, { reply: '554 go away' }])(
    'M2: at EHLO: %j is the channel',
    async (act) => {
      server = closing(await startScriptedSmtp({ script: (step) => (step === 'ehlo' ? act : 'ok') }));
      test = await testSender(server.port, {}, QUICK);
      const cause = typeof act === 'object' && act.reply.startsWith('5') ? 'policy' : 'unreachable';
      expect(await outcome(test.sender.send(mailTo('a@client.example'), new TestLease()))).toBe(
        `channel ${cause}`,
      );
    },
  );

  it('a reset in the middle of a large body may be due to the mail; the others are sent', async () => {
    server = closing(await startScriptedSmtp({ script: (step, { to }) => byRecipient(step, to) }));
    test = await testSender(server.port);
    const large = { text: 'a line of text that is sent as it is\r\n'.repeat(400_000) };
    const sends = ['reset.body.1', 'good.1', 'reset.body.2', 'good.2', 'reset.body.3', 'good.3'].map((name) =>
      outcome(
        test.sender.send(
          mailTo(`${name}@client.example`, name.startsWith('g') ? {} : large),
          new TestLease(),
        ),
      ),
    );
    expect(await Promise.all(sends)).toEqual([1, 2, 3].flatMap(() => ['channel unreachable', 'sent']));
    expect(server.received.map((mail) => mail.to).sort()).toEqual(
      [1, 2, 3].map((n) => `good.${n}@client.example`),
    );
  });

  it('a server that stops reading a large body: bounded, and no dot afterwards', async () => {
    server = closing(await startScriptedSmtp({ script: (step, { to }) => byRecipient(step, to) }));
    test = await testSender(server.port, {}, QUICK);
    const large = { text: 'a line of text that is sent as it is\r\n'.repeat(400_000) };
    expect(
      await outcome(test.sender.send(mailTo('silence.body@client.example', large), new TestLease())),
    ).toBe('channel unreachable');
    expect(server.received).toEqual([]);
  });

  it('a small body that was sent completely is ambiguous, although the server read only its beginning', async () => {
    server = closing(await startScriptedSmtp({ script: (step, { to }) => byRecipient(step, to) }));
    test = await testSender(server.port, {}, QUICK);
    expect(await outcome(test.sender.send(mailTo('reset.body@client.example'), new TestLease()))).toBe(
      'ambiguous',
    );
  });

  it('an early refusal of a large body is its outcome, and the rest is not sent', async () => {
    server = closing(
      await startScriptedSmtp({
        script: (step) => (step === 'body' ? { reply: '552 5.3.4 too large' } : 'ok'),
      }),
    );
    test = await testSender(server.port, {}, QUICK);
    const large = { text: 'a line of text that is sent as it is\r\n'.repeat(400_000) };
    expect(await outcome(test.sender.send(mailTo('a@client.example', large), new TestLease()))).toBe(
      'permanent',
    );
    expect(server.received).toEqual([]);
  });

  it('a reply after the dot counts on a reused connection as well', async () => {
    server = closing(await startScriptedSmtp({ script: (step, { to }) => byRecipient(step, to) }));
    test = await testSender(server.port, { max_connections: 1 }, QUICK);
    const got: string[] = [];
    for (const to of ['good.1', '421.dot', 'good.2', 'reset.dot', 'good.3', '451.dot', 'silence.dot'])
      got.push(await outcome(test.sender.send(mailTo(`${to}@client.example`), new TestLease())));
    expect(got).toEqual([
      'sent',
      'channel unreachable',
      'sent',
      'ambiguous',
      'sent',
      'retryable',
      'ambiguous',
    ]);
    expect(server.received).toHaveLength(7);
  });

  it('M7: a refusal to MAIL for lack of a login is a fault of the account, not the mail', async () => {
    server = closing(
      await startScriptedSmtp({
        script: (step) => (step === 'mail' ? { reply: '530 5.7.0 Authentication required' } : 'ok'),
        extensions: [],
      }),
    );
    test = await testSender(server.port, {}, QUICK);
    const sending = test.sender.send(mailTo('a@client.example'), new TestLease());
    await expect(sending).rejects.toMatchObject({ failure: 'channel', cause: 'login', with_message: false });
    expect(await reason(sending)).toContain('requires a login or STARTTLS first');
  });

  it('M2: a refused connection is a fault of the channel, in plain words', async () => {
    server = closing(await startScriptedSmtp());
    const free = await startScriptedSmtp();
    await free.close();
    test = await testSender(free.port, {}, QUICK);
    const sending = test.sender.send(mailTo('a@client.example'), new TestLease());
    await expect(sending).rejects.toMatchObject({
      failure: 'channel',
      cause: 'unreachable',
      with_message: false,
    });
    expect(await reason(sending)).toBe('The mail server refused the connection');
  });

  it('M2: an unknown host name is a fault of the channel', async () => {
    server = closing(await startScriptedSmtp());
    test = await testSender(25, { host: 'no-such-host.invalid' }, QUICK);
    expect(await outcome(test.sender.send(mailTo('a@client.example'), new TestLease()))).toBe(
      'channel unreachable',
    );
  });
});
