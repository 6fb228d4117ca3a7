import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '../platform/clock/clock.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import { SystemDatabase } from '../platform/database/database.js';
import { Problem } from '../platform/errors/problem.js';
import { Passwords } from './password/passwords.js';

export interface OperatorCredentials {
  id: string;
  /** In lower case. */
  email: string;
  password_hash: string;
}

/** An operator, as the command line lists them. */
export interface OperatorEntry {
  id: string;
  email: string;
  name: string;
  created_at: Date;
  /** Valid sessions. */
  sessions: number;
}

const MAX_LISTED = 1_000;

/** The operators of the installation. They belong to no tenant, so this uses the system role. */
@Injectable()
export class Operators implements OnApplicationBootstrap {
  private readonly logger = new Logger('Operators');

  constructor(
    private readonly system: SystemDatabase,
    private readonly passwords: Passwords,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** @param email in lower case. */
  async byEmail(email: string): Promise<OperatorCredentials | null> {
    const [operator] = await this.system.query<OperatorCredentials>(
      `SELECT id, lower(email) AS email, password_hash FROM operators WHERE lower(email) = $1`,
      [email],
    );
    return operator ?? null;
  }

  /** Whether an operator exists: without one nobody can sign in to a new installation. */
  async exist(): Promise<boolean> {
    return (await this.system.query('SELECT FROM operators LIMIT 1')).length > 0;
  }

  async byId(id: string): Promise<OperatorCredentials | null> {
    const [operator] = await this.system.query<OperatorCredentials>(
      `SELECT id, lower(email) AS email, password_hash FROM operators WHERE id = $1`,
      [id],
    );
    return operator ?? null;
  }

  /**
   * Replaces the password and ends all sessions except `session`.
   * @param hashes the stored one, and the new one. @returns false when the stored hash has changed meanwhile.
   */
  async replacePassword(id: string, hashes: { from: string; to: string }, session: string): Promise<boolean> {
    return this.system.transaction(async (tx) => {
      const replaced = await tx.execute(
        `UPDATE operators SET password_hash = $3 WHERE id = $1 AND password_hash = $2`,
        [id, hashes.from, hashes.to],
      );
      if (replaced === 0) return false;
      await tx.execute(
        `UPDATE operator_sessions SET revoked_at = $3
         WHERE operator_id = $1 AND family <> $2 AND revoked_at IS NULL`,
        [id, session, this.clock.now()],
      );
      return true;
    });
  }

  /** All operators, by address. */
  async list(): Promise<OperatorEntry[]> {
    return this.system.query<OperatorEntry>(
      `SELECT o.id, o.email, o.name, o.created_at,
              (SELECT count(*) FROM operator_sessions s
               WHERE s.operator_id = o.id AND s.revoked_at IS NULL AND s.expires_at > $1) AS sessions
       FROM operators o ORDER BY lower(o.email) LIMIT ${MAX_LISTED}`,
      [this.clock.now()],
    );
  }

  /**
   * Creates an operator.
   * @throws Problem conflict when the address is taken, validation_failed for a common password.
   */
  async create(operator: { email: string; name: string; password: string }): Promise<string> {
    const hash = await this.passwords.hashChosen(operator.password, '/password');
    const [made] = await this.insert(operator.email, operator.name, hash);
    if (made === undefined) throw new Problem('conflict', `an operator ${operator.email} already exists`);
    this.logger.log({ event: 'operator_created' });
    return made.id;
  }

  /**
   * Creates an operator if there is none. Of two concurrent calls, one wins.
   * @param before runs in the transaction of the new operator, with its id; an error that it throws rolls
   * back.
   * @returns the id, or null if there is an operator.
   */
  async createFirst(
    { email, name, hash }: { email: string; name: string; hash: string },
    before: (id: string) => Promise<void>,
  ): Promise<string | null> {
    return this.system.transaction(async (tx) => {
      await tx.lock('first-operator');
      const made = await tx.one<{ id: string }>(
        `INSERT INTO operators (email, name, password_hash, created_at)
         SELECT $1, $2, $3, $4 WHERE NOT EXISTS (SELECT FROM operators) RETURNING id`,
        [email, name, hash, this.clock.now()],
      );
      if (made === null) return null;
      await before(made.id);
      return made.id;
    });
  }

  /**
   * Sets a password without the previous one, and ends all of the operator's sessions.
   * @throws Problem validation_failed for a common password.
   */
  async resetPassword(id: string, password: string): Promise<void> {
    const hash = await this.passwords.hashChosen(password, '/password');
    await this.system.transaction(async (tx) => {
      await tx.execute(`UPDATE operators SET password_hash = $2 WHERE id = $1`, [id, hash]);
      await tx.execute(
        `UPDATE operator_sessions SET revoked_at = $2 WHERE operator_id = $1 AND revoked_at IS NULL`,
        [id, this.clock.now()],
      );
    });
    this.logger.log({ event: 'password_changed', principal: `operator:${id}` });
  }

  /** Creates the operator named in the configuration, unless one exists. A password changed there has no effect. */
  async onApplicationBootstrap(): Promise<void> {
    const { operatorEmail: email, operatorPassword: password } = this.config;
    if (email === null || password === null || (await this.byEmail(email.toLowerCase())) !== null) return;
    // Several processes may get here: one of them creates it.
    const made = await this.insert(email, 'Operator', await this.passwords.hash(password));
    if (made.length > 0) this.logger.log({ event: 'operator_created' });
  }

  private async insert(email: string, name: string, hash: string): Promise<{ id: string }[]> {
    return this.system.query<{ id: string }>(
      `INSERT INTO operators (email, name, password_hash, created_at) VALUES ($1, $2, $3, $4)
       ON CONFLICT (lower(email)) DO NOTHING RETURNING id`,
      [email, name, hash, this.clock.now()],
    );
  }
}
