import { Logger } from '@nestjs/common';
import pg, { type Pool } from 'pg';
import type { DataSource, QueryRunner } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { type PoolUsage, usageOf } from './pool-usage.js';
import { isReadOnly } from './read-only.js';
import type { Connection } from './transaction.js';

/** The connections of one pool. */
export class Connections {
  private readonly logger = new Logger('Database');
  private readonly pool: Pool;
  /** Grows when PostgreSQL turns out to be read-only; connections of an earlier generation are not used again. */
  private generation = 0;
  private readonly generations = new WeakMap<object, number>();

  /** @param names whether a connection may keep named statements */
  constructor(
    private readonly source: DataSource,
    private readonly names: boolean,
  ) {
    // TypeORM does not type the driver's pool.
    this.pool = (source.driver as PostgresDriver).master as Pool;
    this.pool.on('connect', (client) => {
      this.generations.set(client, this.generation);
      // A connection may be closed in the same message that reports it ready, before its borrower can listen.
      client.on('error', ignore);
    });
    this.pool.on('release', (_error, client) => {
      // The pool drops a connection that is ending.
      if (this.isOld(client) && client instanceof pg.Client) void client.end();
    });
  }

  usage(): PoolUsage {
    return usageOf(this.pool);
  }

  /** A connection straight from the driver's pool: TypeORM's wrapper costs as much as a statement. */
  async use<Result>(work: (connection: Connection) => Promise<Result>): Promise<Result> {
    const client = await this.pool.connect();
    client.on('error', ignore);
    try {
      return await work(this.named(client));
    } catch (error) {
      this.noteFailure(error, client);
      throw error;
    } finally {
      client.off('error', ignore);
      // A timeout destroys the socket, and the pool notices later than the caller: it must not reuse the connection.
      client.release(client.connection.stream.destroyed);
    }
  }

  /** A connection with TypeORM's wrapper, to be released by it. */
  async open(): Promise<{ runner: QueryRunner; connection: Connection }> {
    const runner = this.source.createQueryRunner();
    // TypeORM does not type the driver's connection.
    return { runner, connection: this.named((await runner.connect()) as Connection) };
  }

  /**
   * After a failover a connection may still lead to the old primary, which is now read-only. If the error says so, no
   * connection that is open now is used again: the next ones lead to where the URL leads then.
   */
  noteFailure(error: unknown, connection: object): void {
    if (!isReadOnly(error) || this.isOld(connection)) return;
    this.generation += 1;
    this.logger.warn({ event: 'postgresql_read_only', reason: (error as Error).message });
    // Lends the idle ones first.
    for (let idle = this.pool.idleCount; idle > 0; idle--) {
      this.pool.connect().then((client) => client.release(), ignore);
    }
  }

  private isOld(connection: object): boolean {
    return (this.generations.get(connection) ?? 0) !== this.generation;
  }

  private named(connection: Connection): Connection {
    return this.names ? connection : Object.assign(connection, { unnamed: true as const });
  }
}

/** The running statements fail with the connection and report it. */
function ignore(): void {
  // An error event without a listener would crash the process.
}
