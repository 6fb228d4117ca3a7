import { startScriptedSmtp, type Act, type ScriptedSmtp, type Step } from './scripted-smtp.fixture.js';
import { mailTo, testSender, type TestSender } from './sender.fixture.js';
import { closeAll, closing, outcome, reason, TestLease } from '../sending.fixture.js';

const LOST = 'lease lost before the message was sent';

/** A gate that the server waits at, and a promise that it has arrived. */
function gate() {
  let open!: () => void;
  let ring!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const reached = new Promise<void>((resolve) => (ring = resolve));
  return { open, reached, ring, opened };
}

afterEach(closeAll);

describe('A lease that ends while its mail is being sent', () => {
  let server: ScriptedSmtp;
  let test: TestSender;
  let door: ReturnType<typeof gate>;

  /** One connection that is held at this step of the first session. */
  async function holdAt(step: Step, extensions = ['PIPELINING']): Promise<void> {
    door = gate();
    let held = false;
    server = closing(
      await startScriptedSmtp({
        extensions,
        script: async (at): Promise<Act> => {
          if (at === step && !held) {
            held = true;
            door.ring();
            await door.opened;
          }
          return 'ok';
        },
      }),
    );
    const timeouts = {
      connect_ms: 5000,
      greeting_ms: 5000,
      login_ms: 5000,
      socket_ms: 5000,
      send_ms: 10_000,
    };
    test = await testSender(server.port, { max_connections: 1 }, timeouts);
  }

  it.each<Step>(['greeting', 'data', 'dot'])(
    'queued behind a connection held at %s: not sent',
    async (step) => {
      await holdAt(step);
      const first = test.sender.send(mailTo('first@client.example'), new TestLease());
      await door.reached;
      const [expiring, signalled, kept] = [new TestLease(), new TestLease(), new TestLease()];
      const expired = reason(test.sender.send(mailTo('expired@client.example'), expiring));
      const lost = reason(test.sender.send(mailTo('lost@client.example'), signalled));
      const good = test.sender.send(mailTo('good@client.example'), kept);
      expiring.expire();
      signalled.lose();
      // Rejects at once, while the connection is still held.
      expect(await lost).toBe(LOST);
      door.open();
      expect(await expired).toBe(LOST);
      await first;
      await good;
      expect(server.received.map((mail) => mail.to)).toEqual(['first@client.example', 'good@client.example']);
      expect(server.commands.join()).not.toMatch(/(?:expired|lost)@/);
    },
  );

  it.each<Step>(['greeting', 'ehlo', 'mail', 'rcpt', 'data'])(
    'held at %s when it is lost: given up at once',
    async (step) => {
      await holdAt(step, []);
      const lease = new TestLease();
      const sending = reason(test.sender.send(mailTo('a@client.example'), lease));
      await door.reached;
      lease.lose();
      expect(await sending).toBe(LOST);
      door.open();
      await test.sender.send(mailTo('next@client.example'), new TestLease());
      expect(server.received.map((mail) => mail.to)).toEqual(['next@client.example']);
    },
  );

  it.each([['PIPELINING'], []])(
    'expires silently between DATA and 354: no body is written',
    async (...extensions) => {
      await holdAt('data', extensions);
      const lease = new TestLease();
      const sending = reason(test.sender.send(mailTo('a@client.example'), lease));
      await door.reached;
      lease.expire();
      door.open();
      expect(await sending).toBe(LOST);
      await test.sender.send(mailTo('next@client.example'), new TestLease());
      expect(server.received.map((mail) => mail.to)).toEqual(['next@client.example']);
      expect(server.cutBytes).toBe(0);
    },
  );

  it('after the whole message it changes nothing: the reply is awaited', async () => {
    await holdAt('dot');
    const lease = new TestLease();
    const sending = outcome(test.sender.send(mailTo('a@client.example'), lease));
    await door.reached;
    lease.lose();
    door.open();
    expect(await sending).toBe('sent');
  });

  it('a shutdown lets the mail in flight finish and refuses the waiting one', async () => {
    await holdAt('dot');
    const first = outcome(test.sender.send(mailTo('first@client.example'), new TestLease()));
    await door.reached;
    const second = outcome(test.sender.send(mailTo('second@client.example'), new TestLease()));
    const closed = test.sender.close();
    expect(await second).toBe('retryable');
    door.open();
    await closed;
    expect(await first).toBe('sent');
  });
});
