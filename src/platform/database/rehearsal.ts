import { AsyncLocalStorage } from 'node:async_hooks';
import type { QueryRunner } from 'typeorm';
import type { TenantStatements } from './database.js';
import { type Connection, type PreparedStatement, type SqlValue, TenantTransaction } from './transaction.js';

/** How much a rehearsal may use. */
export interface RehearsalLimits {
  /** All of its statements together, in ms. */
  max_ms: number;
  /** One statement, in ms. */
  statement_ms: number;
  /**
   * One lock, in ms. Keep it below PostgreSQL's `deadlock_timeout` (1 s): the rehearsal then gives up before PostgreSQL
   * chooses which of two transactions to abort.
   */
  lock_ms: number;
}

/** The rehearsal has used its time. */
export class RehearsalTooLongError extends Error {}

interface Place {
  rehearsal: Rehearsal;
  /** Whether the caller is inside of one of its transactions. */
  inTransaction: boolean;
}

const places = new AsyncLocalStorage<Place>();

/** The rehearsal that the caller is part of. */
export function currentRehearsal(): Rehearsal | undefined {
  return places.getStore()?.rehearsal;
}

/** @throws Error in a rehearsal: what comes next could not be rolled back. */
export function refuseInRehearsal(what: string): void {
  if (currentRehearsal() !== undefined) throw new Error(`${what} is not possible in a rehearsal`);
}

/**
 * One transaction that is always rolled back, and the code that runs in it unchanged: what that code takes for its own
 * transactions are savepoints of this one. They run one after the other, as if each had committed; nothing that is
 * registered for "after the commit" ever runs.
 */
export class Rehearsal {
  private last: Promise<unknown> = Promise.resolve();
  private readonly endsAt: number;
  private savepoints = 0;
  private notices = 0;

  constructor(
    private readonly runner: QueryRunner,
    private readonly connection: Connection,
    readonly tenant_id: string,
    limits: RehearsalLimits,
  ) {
    this.endsAt = performance.now() + limits.max_ms;
  }

  /** Settings of the transaction. */
  static settings({ statement_ms, lock_ms, max_ms }: RehearsalLimits): string[] {
    return [
      `SET LOCAL statement_timeout = ${statement_ms}`,
      `SET LOCAL lock_timeout = ${lock_ms}`,
      `SET LOCAL idle_in_transaction_session_timeout = ${max_ms}`,
    ];
  }

  /** Runs `work` as a part of this rehearsal. */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    return places.run({ rehearsal: this, inTransaction: false }, work);
  }

  /** How many callbacks for "after the commit" were registered, and dropped: whether somebody was notified. */
  get droppedCallbacks(): number {
    return this.notices;
  }

  /** In place of `Database.tenant`. @throws RehearsalTooLongError, Error for another tenant */
  async transaction<Result>(
    tenantId: string,
    work: (tx: TenantTransaction) => Promise<Result>,
  ): Promise<Result> {
    if (tenantId !== this.tenant_id) throw new Error('a rehearsal cannot reach another tenant');
    // A transaction in a transaction: it would otherwise wait for the one that waits for it.
    if (places.getStore()?.inTransaction === true) return this.inSavepoint(work);
    const turn = this.last.then(() => this.inSavepoint(work));
    this.last = turn.catch(() => undefined);
    return turn;
  }

  /** In place of `Database.single`. */
  single(tenantId: string): TenantStatements {
    const query = <Row>(sql: string | PreparedStatement, parameters?: readonly SqlValue[]): Promise<Row[]> =>
      this.transaction(tenantId, (tx) => tx.query<Row>(sql, parameters));
    return {
      tenant_id: tenantId,
      query,
      one: async <Row>(sql: string | PreparedStatement, parameters?: readonly SqlValue[]) =>
        (await query<Row>(sql, parameters))[0] ?? null,
    };
  }

  /** @throws RehearsalTooLongError */
  throwIfOver(): void {
    if (performance.now() > this.endsAt) throw new RehearsalTooLongError('the rehearsal takes too long');
  }

  dropCallback(): void {
    this.notices += 1;
  }

  /** The pool pipelines: nothing waits for the answers to SAVEPOINT and RELEASE alone. */
  private async inSavepoint<Result>(work: (tx: TenantTransaction) => Promise<Result>): Promise<Result> {
    this.throwIfOver();
    const tx = new RehearsedTransaction(this.runner, this.connection, this.tenant_id, this);
    const name = `rehearsed_${(this.savepoints += 1)}`;
    const opened = tx.query(`SAVEPOINT ${name}`);
    // If it fails, so does everything after it.
    opened.catch(() => undefined);
    let result: Result;
    try {
      result = await places.run({ rehearsal: this, inTransaction: true }, () => work(tx));
      await opened;
    } catch (error) {
      await tx.undo(name);
      throw error;
    }
    tx.query(`RELEASE ${name}`).catch(() => undefined);
    return result;
  }
}

/** What the code of a rehearsal takes for its own transaction. */
class RehearsedTransaction extends TenantTransaction {
  constructor(
    runner: QueryRunner,
    connection: Connection,
    tenantId: string,
    private readonly rehearsal: Rehearsal,
  ) {
    super(runner, connection, tenantId);
  }

  /** The limits of the rehearsal stay. */
  override async allowLongStatements(): Promise<void> {
    // Without this it would lift them.
  }

  /** It never commits. */
  override afterCommit(): void {
    this.rehearsal.dropCallback();
  }

  /** As after a rollback; a broken connection has nothing to undo. */
  async undo(savepoint: string): Promise<void> {
    await super.run(`ROLLBACK TO ${savepoint}`).catch(() => undefined);
  }

  protected override async run<Row>(sql: string | PreparedStatement, parameters?: readonly SqlValue[]) {
    this.rehearsal.throwIfOver();
    return super.run<Row>(sql, parameters);
  }
}
