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

  it('tells since when', async () => {
    const id = await request(-1);
    expect(await factsOf(world, tenantId, 'documents_missing', TODAY, [0])).toEqual([
      {
        source_id: id,
        dedupe_key: `document:${id}:2026-03-29`,
        stage: 0,
        severity: 'warning',
        responsible_id: null,
        title: {
          fr: 'Document attendu depuis 1 jour : Relevé bancaire',
          en: 'Document overdue by 1 day: Relevé bancaire',
        },
        body: { fr: 'Garage Petit · Attendu le 29/03/2026', en: 'Garage Petit · Expected on 29 March 2026' },
        data: {
          document_id: id,
          title: 'Relevé bancaire',
          client_name: 'Garage Petit',
          due_on: '2026-03-29',
          days_late: 1,
        },
      },
    ]);
  });

  it('says nothing of what was received', async () => {
    const id = await request(-1);
    await world.sql(`UPDATE document_requests SET status = 'received', received_at = now() WHERE id = $1`, [
      id,
    ]);
    expect(await factsOf(world, tenantId, 'documents_missing', TODAY, [0])).toEqual([]);
  });
});
