import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '../platform/clock/clock.js';
import { CONFIG, type Config } from '../platform/config/config.js';
import { SystemDatabase } from '../platform/database/database.js';
import { Passwords } from './passwords.js';

export interface OperatorCredentials {
  id: string;
  password_hash: string;
}

/** Who runs the installation. They belong to no tenant, so this asks as the system role. */
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
      `SELECT id, password_hash FROM operators WHERE lower(email) = $1`,
      [email],
    );
    return operator ?? null;
  }

  /** Makes the operator that the configuration names, unless there is one. A changed password changes nothing. */
  async onApplicationBootstrap(): Promise<void> {
    const { operatorEmail: email, operatorPassword: password } = this.config;
    if (email === null || password === null || (await this.byEmail(email.toLowerCase())) !== null) return;
    // Several processes may be at this point: one of them makes it.
    const made = await this.system.query(
      `INSERT INTO operators (email, name, password_hash, created_at) VALUES ($1, 'Operator', $2, $3)
       ON CONFLICT (lower(email)) DO NOTHING RETURNING id`,
      [email, await this.passwords.hash(password), this.clock.now()],
    );
    if (made.length > 0) this.logger.log({ event: 'operator_created' });
  }
}
