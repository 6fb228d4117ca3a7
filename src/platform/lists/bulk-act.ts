import type { Type } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsInt, IsOptional, IsUUID, Max, Min } from 'class-validator';
import type { TenantTransaction } from '../database/transaction.js';
import { invalid, Problem } from '../errors/problem.js';
import { Nested } from '../http/nested.js';
import type { ListConditions } from './list-conditions.js';

/** Maximum number of ids in a request. */
export const MAX_BULK_IDS = 1_000;
/** Maximum number of rows that one act changes by a filter. */
export const MAX_BULK_ROWS = 20_000;
/** The longest statement of an act, in ms. */
const MAX_STATEMENT_MS = 60_000;

/** The rows of a bulk act: these ids, or all rows of a filter with the number that the caller has seen. */
export interface BulkBody<Filter extends object> {
  ids?: string[];
  filter?: Filter;
  count?: number;
}

/** The result of an act on many rows. */
export class BulkResult {
  @ApiProperty({ type: 'integer', minimum: 0, description: 'Rows that were not already in that state' })
  changed: number;
}

/** @returns the type of the body of an act on many rows, named in OpenAPI */
export function bulkBody<Filter extends object>(name: string, filter: Type<Filter>): Type<BulkBody<Filter>> {
  class Body implements BulkBody<Filter> {
    @ApiPropertyOptional({
      type: [String],
      format: 'uuid',
      maxItems: MAX_BULK_IDS,
      description: 'These rows; ids that do not exist are skipped',
    })
    @IsOptional()
    @IsArray()
    @ArrayMaxSize(MAX_BULK_IDS)
    @IsUUID(undefined, { each: true })
    ids?: string[];

    @ApiPropertyOptional({ type: () => filter, description: 'All rows of this filter, instead of `ids`' })
    @IsOptional()
    @Nested(() => filter)
    filter?: Filter;

    @ApiPropertyOptional({
      type: 'integer',
      minimum: 0,
      maximum: MAX_BULK_ROWS,
      description: 'With `filter`: the `count` that the list showed. Another number: 409 `count_changed`',
    })
    @IsOptional()
    @IsInt()
    @Min(0)
    @Max(MAX_BULK_ROWS)
    count?: number;
  }
  Object.defineProperty(Body, 'name', { value: name });
  return Body;
}

/** An act on many rows of one table, in SQL. */
export interface BulkAct<Filter extends object> {
  /** The table, with the alias that conditions and `set` use: `deadlines item`. It has `tenant_id` and `id`. */
  table: string;
  alias: string;
  /** The conditions of a filter: the same as those of the list. */
  conditions: (filter: Partial<Filter>) => ListConditions;
  /** What follows SET; `take` adds a value. */
  set: (take: ListConditions['take']) => string;
  /** Which rows are not yet in the resulting state. */
  unless: string;
}

/**
 * Changes many rows in one statement: all, or none when their number is not the one that the caller has seen.
 * @returns the ids of the changed rows
 * @throws Problem validation_failed unless the body has either ids, or a filter and a count; count_changed.
 */
export async function changeMany<Filter extends object>(
  tx: TenantTransaction,
  { table, alias, conditions: conditionsOf, set, unless }: BulkAct<Filter>,
  body: BulkBody<Filter>,
): Promise<string[]> {
  const { ids, filter, count } = checkedBody(body);
  const conditions = conditionsOf(filter ?? {});
  if (ids !== undefined) conditions.given(ids, (p) => `${alias}.id = ANY (${p}::uuid[])`);
  const take = (value: Parameters<ListConditions['take']>[0]) => conditions.take(value);
  const matching = conditions.sql;
  // One row more than expected is enough to refuse: no request locks more rows than it names.
  const limit = take((count ?? MAX_BULK_IDS) + 1);
  const expected = take(count ?? null);
  await tx.allowLongStatements(MAX_STATEMENT_MS);
  const found = await tx.one<{ ids: string[]; is_expected: boolean }>(
    `WITH matching AS MATERIALIZED (
       SELECT ${alias}.tenant_id, ${alias}.id FROM ${table} WHERE ${matching}
       ORDER BY ${alias}.tenant_id, ${alias}.id LIMIT ${limit} FOR UPDATE OF ${alias}
     ),
     seen AS MATERIALIZED (
       SELECT ${expected}::int IS NULL OR count(*) = ${expected}::int AS is_expected FROM matching
     ),
     changed AS (
       UPDATE ${table} SET ${set(take)}
       FROM matching, seen
       WHERE seen.is_expected AND ${alias}.tenant_id = matching.tenant_id AND ${alias}.id = matching.id
         AND ${unless}
       RETURNING ${alias}.id
     )
     SELECT is_expected, ARRAY(SELECT id FROM changed) AS ids FROM seen`,
    conditions.values,
  );
  if (found?.is_expected !== true) throw countChanged(count);
  return found.ids;
}

/** The rows of an act that takes more than one statement. */
export type BulkRows<Filter extends object> = Pick<BulkAct<Filter>, 'table' | 'alias' | 'conditions'> & {
  /** The keys by which other statements lock several of these rows. */
  order: string;
};

/**
 * Locks the rows of an act that takes more than one statement, which may then run for a minute each.
 * @returns their ids
 * @throws Problem as `changeMany`
 */
export async function lockMany<Filter extends object>(
  tx: TenantTransaction,
  { table, alias, conditions: conditionsOf, order }: BulkRows<Filter>,
  body: BulkBody<Filter>,
): Promise<string[]> {
  const { ids, filter, count } = checkedBody(body);
  const conditions = conditionsOf(filter ?? {});
  if (ids !== undefined) conditions.given(ids, (p) => `${alias}.id = ANY (${p}::uuid[])`);
  await tx.allowLongStatements(MAX_STATEMENT_MS);
  const found = await tx.query<{ id: string }>(
    `SELECT ${alias}.id FROM ${table} WHERE ${conditions.sql}
     ORDER BY ${order} LIMIT ${conditions.take((count ?? MAX_BULK_IDS) + 1)} FOR NO KEY UPDATE OF ${alias}`,
    conditions.values,
  );
  if (count !== undefined && found.length !== count) throw countChanged(count);
  return found.map(({ id }) => id);
}

function countChanged(count: number | undefined): Problem {
  return new Problem('count_changed', `not exactly ${count} rows match the filter now: list them again`);
}

function checkedBody<Filter extends object>(body: BulkBody<Filter>): BulkBody<Filter> {
  const { ids, filter, count } = body;
  if ((ids == null) === (filter == null)) {
    throw invalid(ids == null ? '/ids' : '/filter', 'send either ids, or a filter and a count');
  }
  if (filter != null && count == null) throw invalid('/count', 'send the count of the filter');
  if (ids != null && count != null) throw invalid('/count', 'is for a filter');
  return { ids: ids ?? undefined, filter: filter ?? undefined, count: count ?? undefined };
}
