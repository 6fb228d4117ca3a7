import type { World } from './world.js';

/** A row by its columns' names. */
export type Row = Record<string, unknown>;

/** Inserts a row, bypassing the API. @returns its id */
export async function insertRow(world: World, table: string, row: Row): Promise<string> {
  const columns = Object.keys(row);
  const [created] = await world.sql<{ id: string }>(
    `INSERT INTO ${table} (${columns.join(', ')})
     VALUES (${columns.map((_column, at) => `$${at + 1}`).join(', ')}) RETURNING id`,
    Object.values(row),
  );
  return created!.id;
}
