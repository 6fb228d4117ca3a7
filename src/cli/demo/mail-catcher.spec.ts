import { mailTo, testSender } from '../../delivery/channels/email/sender.fixture.js';
import { closeAll, closing, TestLease } from '../../delivery/channels/sending.fixture.js';
import { startMailCatcher } from './mail-catcher.js';

afterEach(closeAll);

describe('The mail catcher', () => {
  it('keeps only the latest mails, and counts all', async () => {
    const catcher = closing(await startMailCatcher({ keep: 3 }));
    const test = await testSender(catcher.port, { max_connections: 1 });
    for (let n = 1; n <= 8; n += 1) await test.sender.send(mailTo(`a${n}@client.example`), new TestLease());
    expect(catcher.count).toBe(8);
    expect(catcher.mails.map((mail) => mail.to[0])).toEqual([6, 7, 8].map((n) => `a${n}@client.example`));
  });

  it('waits for a number of mails or for a certain one, and reports a time-out', async () => {
    const catcher = closing(await startMailCatcher());
    const test = await testSender(catcher.port);
    const two = catcher.waitFor(2);
    const second = catcher.waitFor((mail) => mail.to.includes('b@client.example'));
    await test.sender.send(mailTo('a@client.example'), new TestLease());
    await test.sender.send(mailTo('b@client.example'), new TestLease());
    expect(await two).toHaveLength(2);
    expect((await second).to).toEqual(['b@client.example']);
    await expect(catcher.waitFor(3, 20)).rejects.toThrow('2 mails arrived');
    const never = catcher.waitFor(4);
    await Promise.all([expect(never).rejects.toThrow('closed'), catcher.close()]);
  });
});
