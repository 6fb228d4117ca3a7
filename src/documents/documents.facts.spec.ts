import { addTenant } from '../../test/support/cast.js';
import { factsOf } from '../../test/support/watched.js';
import { createWorld, type World } from '../../test/support/world.js';

const TODAY = '2026-03-30';

describe('documents that are missing', () => {
  let world: World;
  let tenantId: string;

  beforeAll(async () => {
    world = await createWorld();
    tenantId = (await addTenant(world)).id;
  });
  afterAll(() => world.close());
  afterEach(() => world.sql(`DELETE FROM document_requests`));

  async function request(daysLeft: number): Promise<string> {
    const [document] = await world.sql<{ id: string }>(
      `INSERT INTO document_requests (tenant_id, title, client_name, due_on)
       VALUES ($1, 'Relevé bancaire', 'Garage Petit', $2::date + $3::int) RETURNING id`,
      [tenantId, TODAY, daysLeft],
    );
    return document!.id;
  }

  it.each([
    [1, [0], []],
    [0, [0], [0]],
    [-9, [0], [0]],
    [3, [3, 0, -7], [3]],
    [-7, [3, 0, -7], [-7]],
    [-6, [3, 0, -7], [0]],
  ])('expected in %i days, of the stages %j: %j', async (daysLeft, stages, reached) => {
    await request(daysLeft);
    const facts = await factsOf(world, tenantId, 'documents_missing', TODAY, stages);
    expect(facts.map(({ stage }) => stage)).toEqual(reached);
  });

  it('M1: names the document and its date, and nothing that is only true today', async () => {
    const id = await request(-1);
    expect(await factsOf(world, tenantId, 'documents_missing', TODAY, [0])).toEqual([
      {
        source_id: id,
        dedupe_key: `document:${id}:2026-03-29`,
        stage: 0,
        severity: 'warning',
        responsible_id: null,
        data: {
          document_id: id,
          title: 'Relevé bancaire',
          description: null,
          client_name: 'Garage Petit',
          due_on: '2026-03-29',
        },
      },
    ]);
  });

  it('excludes received documents', async () => {
    const id = await request(-1);
    await world.sql(`UPDATE document_requests SET status = 'received', received_at = now() WHERE id = $1`, [
      id,
    ]);
    expect(await factsOf(world, tenantId, 'documents_missing', TODAY, [0])).toEqual([]);
  });
});
