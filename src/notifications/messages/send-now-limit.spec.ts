import { createCast } from '../../../test/support/cast.js';
import { waitsForAdvisoryLock } from '../../../test/support/locks.js';
import { until } from '../../../test/support/until.js';
import { type Answer, createWorld, mailEnvironment } from '../../../test/support/world.js';
import { startScriptedSmtp } from '../../delivery/channels/email/scripted-smtp.fixture.js';
import { Admission } from '../../delivery/dispatch/admission.js';
import { Dispatcher } from '../../delivery/dispatch/dispatcher.js';

describe('send_now with a limit for all', () => {
  it('H8: a call and a concurrent round of the dispatcher together keep the limit per minute', async () => {
    const world = await createWorld({
      env: {
        SMTP_HOST: '127.0.0.1',
        SMTP_PORT: '9',
        SMTP_FROM_EMAIL: 'vigie@vigie.example',
        LIMIT_GLOBAL_PER_MINUTE: '1',
      },
    });
    try {
      const { admin } = await createCast(world);
      const post = (body: object) =>
        world.http('POST', '/api/v1/notifications', {
          token: admin.token,
          body: { channel: 'email', to: 'a@example.com', subject: 's', body: 'b', ...body },
        });
      await world.sql(`INSERT INTO workers VALUES (gen_random_uuid(), 'email', 1, now() + interval '1 day')`);
      expect((await post({})).status).toBe(202);
      const answers: Promise<Answer>[] = [];
      jest.spyOn(Admission.prototype, 'gather').mockImplementationOnce(async (...call) => {
        // The round has counted, but not admitted yet.
        answers.push(post({ send_now: true }));
        await until('the direct call to wait', () => waitsForAdvisoryLock(world));
        return world.app.get(Admission).gather(...call);
      });
      expect(await world.app.get(Dispatcher).round('email')).toEqual({ admitted: 1, deferred: 0 });
      expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([429]);
    } finally {
      await world.close();
    }
  });

  it('refuses messages beyond the limit per minute', async () => {
    const smtp = await startScriptedSmtp();
    const world = await createWorld({
      env: {
        ...mailEnvironment(smtp),
        LIMIT_GLOBAL_PER_MINUTE: '4',
      },
    });
    try {
      const { admin, outsider } = await createCast(world);
      const answers = await Promise.all(
        [admin, outsider, admin, outsider, admin, outsider].map(({ token }, i) =>
          world.http('POST', '/api/v1/notifications', {
            token,
            body: { channel: 'email', to: `a${i}@example.com`, subject: 's', body: 'b', send_now: true },
          }),
        ),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 429, 429]);
      expect(answers.find(({ status }) => status === 429)!.headers['retry-after']).toBe('60');
      expect(smtp.received.length).toBe(4);
    } finally {
      await world.close();
      await smtp.close();
    }
  });
});
