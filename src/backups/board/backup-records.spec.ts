import { randomUUID } from 'node:crypto';
import { type Cast, createCast, type Person } from '../../../test/support/cast.js';
import { createWorld, type World } from '../../../test/support/world.js';
import { addEntry, addJob, addReport, type EntryFields, forgetBackups } from './records.fixture.js';

describe('entries and reports', () => {
  let world: World;
  let cast: Cast;
  let job: string;

  beforeAll(async () => {
    world = await createWorld();
    cast = await createCast(world);
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    await forgetBackups(world);
    job = await addJob(world, cast.tenant_id);
  });

  const get = (rest: string, who: Pick<Person, 'token'> = cast.teammate) =>
    world.http('GET', `/api/v1/backups/${rest}`, { token: who.token });
  const idsOf = async (rest: string): Promise<string[]> =>
    ((await get(rest)).body as { data: { id: string }[] }).data.map(({ id }) => id);
  const add = (fields: EntryFields) => addEntry(world, cast.tenant_id, fields);

  it('an entry has the reported and the found values, and how they compare (B5)', async () => {
    const said = {
      expected_on: '2026-03-02',
      operation_timestamp_utc: '2026-03-02T01:00:00.000Z',
      status: 'success',
      hash_sha256: 'a'.repeat(64),
      size_bytes: 5_000_000_000,
      compress_size_pre_compress: 9_000_000_000,
      compress_size_post_compress: 5_000_000_000,
      agent_transfer_process_status: 'done',
      agent_transfer_process_start_time_utc: '2026-03-02T01:01:00.000Z',
      agent_transfer_process_timestamp_utc: '2026-03-02T01:02:00.000Z',
      agent_transfer_error_message: 'none',
      staged_file_name: 'comptabilite.zst',
      logs_summary: 'Two lines,\nwell.',
      error_msg: 'nothing',
    };
    const id = await add({
      effective_at: '2026-03-02T01:00:00.000Z',
      verdict: 'HASH_MISMATCH',
      reason: 'hash_differs',
      detail: 'differs',
      job_id: job,
      expected_at: '2026-03-02T01:00:00.000Z',
      server_hash_sha256: 'b'.repeat(64),
      server_size_bytes: 5_000_000_000,
      ...said,
    });
    const { status, body } = await get(`entries/${id}`);
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({
        id,
        job_id: job,
        ...said,
        verdict: 'HASH_MISMATCH',
        reason: 'hash_differs',
        server_hash_sha256: 'b'.repeat(64),
        hashes_match: false,
        server_size_bytes: 5_000_000_000,
        sizes_match: true,
        warnings: [],
        stored_path: null,
        evaluated_at: '2026-03-02T01:05:00.000Z',
      }),
    ]);
    // Internal fields are not shown.
    expect(Object.keys(body as object)).not.toEqual(expect.arrayContaining(['staged_identity']));
    expect((await get('entries')).body).toEqual({ data: [body], next_cursor: null });
  });

  it('an entry does not compare values if one of them is unknown (B5)', async () => {
    const id = await add({
      effective_at: '2026-03-02T01:00:00Z',
      verdict: null,
      hash_sha256: 'a',
      size_bytes: 1,
    });
    expect((await get(`entries/${id}`)).body).toMatchObject({
      verdict: null,
      hashes_match: null,
      sizes_match: null,
    });
  });

  it('are listed newest first, paginated and filtered', async () => {
    const success = await add({ effective_at: '2026-03-01T01:00:00Z', verdict: 'SUCCESS', job_id: job });
    const failed = await add({ effective_at: '2026-03-03T01:00:00Z', verdict: 'FAILED', job_id: job });
    const missing = await add({
      effective_at: '2026-03-02T01:00:00Z',
      verdict: 'MISSING',
      job_id: job,
      report_id: null,
      expected_on: '2026-03-02',
      expected_at: '2026-03-02T01:00:00Z',
    });
    const stray = await add({
      effective_at: '2026-03-02T01:00:00Z',
      verdict: 'SUCCESS',
      agent_id: 'lyon-01',
      database_name: 'paie',
    });
    expect(await idsOf('entries')).toEqual([failed, stray, missing, success]);
    const first = (await get('entries?limit=2')).body as { next_cursor: string };
    expect(await idsOf(`entries?limit=2&cursor=${first.next_cursor}`)).toEqual([missing, success]);
    expect(await idsOf(`entries?job_id=${job}`)).toEqual([failed, missing, success]);
    expect(await idsOf('entries?agent_id=lyon-01')).toEqual([stray]);
    expect(await idsOf('entries?database_name=paie')).toEqual([stray]);
    expect(await idsOf('entries?verdict=SUCCESS')).toEqual([stray, success]);
    expect(await idsOf('entries?expected=false')).toEqual([stray]);
    expect(await idsOf('entries?expected=true&verdict=SUCCESS')).toEqual([success]);
    expect(await idsOf('entries?since=2026-03-02T02:00:00%2B01:00')).toEqual([failed, stray, missing]);
    expect(await idsOf('entries?until=2026-03-02T01:00:00Z')).toEqual([success]);
    expect(await idsOf(`entries?job_id=${randomUUID()}`)).toEqual([]);
    for (const bad of [
      'job_id=x',
      'verdict=ok',
      'expected=1',
      'since=2026-03-02',
      'cursor=x',
      'agent_id=..',
    ]) {
      expect([bad, (await get(`entries?${bad}`)).status]).toEqual([bad, 400]);
    }
  });

  it('include rejected reports, with their reason (B2)', async () => {
    const file = await addReport(world, cast.tenant_id);
    const rejected = await addReport(world, cast.tenant_id, {
      agent_id: 'lyon-01',
      file_name: '2026-03-02_STATUS.json',
      state: 'rejected',
      reason: 'is not JSON',
      operation_timestamp_utc: null,
      content: null,
    });
    const api = await addReport(world, cast.tenant_id, { source: 'api', file_name: null });
    expect(await idsOf('reports')).toEqual([api, rejected, file]);
    const first = (await get('reports?limit=1')).body as { next_cursor: string };
    expect(await idsOf(`reports?cursor=${first.next_cursor}`)).toEqual([rejected, file]);
    expect(await idsOf('reports?source=api')).toEqual([api]);
    expect(await idsOf('reports?agent_id=paris-01')).toEqual([api, file]);
    expect((await get('reports?state=rejected')).body).toEqual({
      data: [
        {
          id: rejected,
          agent_id: 'lyon-01',
          source: 'file',
          file_name: '2026-03-02_STATUS.json',
          state: 'rejected',
          reason: 'is not JSON',
          operation_timestamp_utc: null,
          received_at: '2026-03-02T01:05:00.000Z',
          warnings: [],
        },
      ],
      next_cursor: null,
    });
    for (const bad of ['state=x', 'source=x', 'cursor=x', 'job_id=x']) {
      expect([bad, (await get(`reports?${bad}`)).status]).toEqual([bad, 400]);
    }
  });

  it('belong to one tenant only', async () => {
    const id = await add({ effective_at: '2026-03-02T01:00:00Z', verdict: 'SUCCESS' });
    expect((await get(`entries/${id}`, cast.outsider)).status).toBe(404);
    for (const list of ['entries', 'reports']) {
      expect((await get(list, cast.outsider)).body).toEqual({ data: [], next_cursor: null });
    }
  });
});
