import { LoginGate } from './login.js';

const LIMIT_MS = 2_000;
const PATIENCE_MS = 50;

describe('the logins of a pool', () => {
  let gate: LoginGate;
  let loggingIn: number;
  let most: number;
  beforeEach(() => {
    gate = new LoginGate(LIMIT_MS, PATIENCE_MS);
    loggingIn = 0;
    most = 0;
  });
  const login = (answer: Promise<void>) => () => {
    loggingIn += 1;
    most = Math.max(most, loggingIn);
    return answer.finally(() => (loggingIn -= 1));
  };
  const never = new Promise<void>(() => undefined);

  it('run one at a time', async () => {
    const answers = Array.from({ length: 5 }, () => gate.pass(login(Promise.resolve())));
    await Promise.all(answers);
    expect(most).toBe(1);
  });

  it('M2: fail together after one refused login', async () => {
    const refused = gate.pass(login(Promise.reject(new Error('535'))));
    const waiting = Array.from({ length: 9 }, () => gate.pass(login(Promise.resolve())));
    await expect(refused).rejects.toThrow('535');
    for (const outcome of await Promise.allSettled(waiting)) expect(outcome.status).toBe('rejected');
    await expect(gate.pass(login(Promise.resolve()))).resolves.toBeUndefined();
    expect(most).toBe(1);
  });

  it('do not wait for a login whose connection broke: it never answers', async () => {
    const broken = gate.pass(login(never));
    const began = performance.now();
    await gate.pass(login(Promise.resolve()));
    expect(performance.now() - began).toBeLessThan(LIMIT_MS);
    const waiting = gate.pass(login(Promise.resolve()));
    await expect(broken).rejects.toThrow('Invalid login');
    await waiting;
  });
});
