import { createHash } from 'node:crypto';
import { createPlatform, type Platform } from '../../../test/support/platform.js';
import type { TenantTransaction } from '../database/transaction.js';
import { HttpModule } from './http.module.js';
import { type CreatingRequest, Idempotency } from './idempotency.js';

let platform: Platform;
let idempotency: Idempotency;
let ours: string;
let theirs: string;

beforeAll(async () => {
  platform = await createPlatform(() => ({ imports: [HttpModule] }));
  idempotency = platform.module.get(Idempotency);
  ours = await platform.tenant();
  theirs = await platform.tenant();
});
afterAll(async () => platform.close());
afterEach(async () => {
  await platform.sql('DELETE FROM tasks');
  await platform.sql('DELETE FROM idempotency_keys');
});

const request = (key: string | null, asked = 'a'): CreatingRequest => ({
  key,
  hash: () => createHash('sha256').update(asked).digest(),
});
const caller = (tenant_id = ours, principal = 'user:1') => ({ tenant_id, principal });

/** The work of a creating route. */
async function create(tx: TenantTransaction): Promise<{ id: string; due_on: string; created_at: Date }> {
  const [row] = await tx.query<{ id: string; due_on: string; created_at: Date }>(
    `INSERT INTO tasks (tenant_id, title, due_on) VALUES ($1, 'task', '2026-03-31')
     RETURNING id, due_on, created_at`,
    [tx.tenant_id],
  );
  return row!;
}

const ids = async () => (await platform.sql<{ id: string }>('SELECT id FROM tasks')).map(({ id }) => id);

describe('Idempotency', () => {
  it('creates once per request without a key', async () => {
    await idempotency.create(caller(), request(null), create);
    await idempotency.create(caller(), request(null), create);
    expect(await ids()).toHaveLength(2);
  });

  it('answers a retry with the first response, byte for byte', async () => {
    const first = await idempotency.create(caller(), request('k'), create);
    const again = await idempotency.create(caller(), request('k'), create);
    expect(JSON.stringify(again)).toBe(JSON.stringify(first));
    expect(await ids()).toEqual([first.id]);
  });

  it('F2: creates one row for 50 concurrent requests, and answers all the same', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => idempotency.create(caller(), request('k'), create)),
    );
    const [id, ...more] = await ids();
    expect(more).toEqual([]);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]!.id).toBe(id);
  });

  it('refuses a different request with the same key', async () => {
    await idempotency.create(caller(), request('k', 'a'), create);
    await expect(idempotency.create(caller(), request('k', 'b'), create)).rejects.toMatchObject({
      code: 'idempotency_mismatch',
      status: 422,
    });
    expect(await ids()).toHaveLength(1);
  });

  it('keeps keys apart by tenant and caller', async () => {
    await idempotency.create(caller(ours, 'user:1'), request('k'), create);
    await idempotency.create(caller(ours, 'user:2'), request('k', 'b'), create);
    await idempotency.create(caller(theirs, 'user:1'), request('k', 'c'), create);
    expect(await ids()).toHaveLength(3);
  });

  it('stores nothing when the work fails: a retry starts afresh', async () => {
    await expect(
      idempotency.create(caller(), request('k'), async (tx) => {
        await create(tx);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await ids()).toEqual([]);
    expect(await platform.sql('SELECT FROM idempotency_keys')).toEqual([]);
    const created = await idempotency.create(caller(), request('k'), create);
    expect(await ids()).toEqual([created.id]);
  });

  it('lets the next one try when the first of several concurrent requests fails', async () => {
    let attempts = 0;
    const answers = await Promise.allSettled(
      Array.from({ length: 8 }, () =>
        idempotency.create(caller(), request('k'), async (tx) => {
          attempts += 1;
          if (attempts <= 3) throw new Error('no');
          return create(tx);
        }),
      ),
    );
    expect(answers.filter(({ status }) => status === 'rejected')).toHaveLength(3);
    expect(await ids()).toHaveLength(1);
  });

  it('replays an empty response', async () => {
    const work = jest.fn(() => Promise.resolve(null));
    expect(await idempotency.create(caller(), request('k'), work)).toBeNull();
    expect(await idempotency.create(caller(), request('k'), work)).toBeNull();
    expect(work).toHaveBeenCalledTimes(1);
  });
});
