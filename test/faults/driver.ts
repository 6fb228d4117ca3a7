import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { inParallel } from '../../src/backups/files/in-parallel.js';
import { Api } from '../../src/cli/demo/api.js';
import { until } from '../support/until.js';
import { OPERATOR } from './installation.js';

/** How long a client waits for one answer. */
const PATIENCE_MS = 20_000;
/** How long a client retries a request without a 2xx. */
const PERSISTENCE_MS = 30_000;
const PAUSE_MS = 50;
/** Concurrent requests of one client. */
const MAX_AT_ONCE = 8;
/**
 * A frozen worker may hold a lock for a minute, until PostgreSQL ends its idle transaction, and then the lease of a run
 * for another minute.
 */
const CHECK_WITHIN_MS = 180_000;
/** How often a run is read: a caller's requests per minute are limited. */
const RUN_POLL_MS = 200;
const ZONE = 'Europe/Paris';

/** A run of the ledger, as its trigger returns it. */
interface Run {
  run_id: string;
  state: string;
}

export interface Load {
  /** Starts no more requests, and waits for running ones. */
  stop(): Promise<void>;
}

/**
 * A client of the public REST API that records every id with a 2xx. It retries with the same Idempotency-Key until it
 * gets one, as a good client does.
 */
export class Driver {
  /** Users, each with an expected welcome mail, and deadlines, each with one expected notification of an admin. */
  readonly accepted: string[] = [];
  /** Responses other than 2xx, and broken connections. */
  readonly refusals: string[] = [];
  /** Sends requests to the web processes in turn, instead of to the first one that answers. */
  spread = false;
  private asked = 0;

  private constructor(
    /** The URLs of the web processes; if one does not answer, the next is tried. */
    public urls: readonly string[],
    private readonly key: string,
  ) {}

  /** Creates a tenant with a key, and an admin, whose welcome mail is the first accepted id. */
  static async start(url: string): Promise<Driver> {
    const { access_token } = await new Api(url).call<{ access_token: string }>(
      'POST',
      'auth/login',
      OPERATOR,
    );
    const operator = new Api(url).withToken(access_token);
    const tenant = await operator.call<{ id: string }>('POST', 'tenants', {
      slug: 'cabinet-martin',
      name: 'Cabinet Martin',
      kind: 'cabinet',
      time_zone: ZONE,
    });
    const { key } = await operator.call<{ key: string }>('POST', `tenants/${tenant.id}/api-keys`, {
      name: 'driver',
      scopes: ['users:write', 'watched:write', 'notifications:write', 'admin'],
    });
    const driver = new Driver([url], key);
    await driver.person('admin@cabinet-martin.example', 'admin');
    return driver;
  }

  /** Creates a user, with the given address or a generated one; resolves when accepted. */
  async person(email?: string, role: 'member' | 'admin' = 'member'): Promise<string> {
    this.asked += 1;
    const number = this.asked;
    const address = email ?? `person${number}@cabinet-martin.example`;
    return this.accept('users', { email: address, name: `Person ${number}`, role });
  }

  async people(count: number): Promise<void> {
    await inParallel(Array.from({ length: count }), MAX_AT_ONCE, () => this.person());
  }

  /** Creates deadlines for today, and runs one check that announces all of them. Needs a worker. */
  async deadlines(count: number): Promise<void> {
    // Swedish dates are ISO dates.
    const due_on = new Date().toLocaleDateString('sv-SE', { timeZone: ZONE });
    await inParallel(Array.from({ length: count }), MAX_AT_ONCE, () => {
      this.asked += 1;
      return this.accept('deadlines', { title: `Deadline ${this.asked}`, due_on });
    });
    await this.check();
  }

  /** Sends a message by `POST notifications`; resolves when accepted. */
  async message(body: object): Promise<void> {
    await new Api(this.urls[0] ?? '').withKey(this.key).call('POST', 'notifications', body);
  }

  /** Adds a webhook endpoint. @returns its id */
  async endpoint(url: string): Promise<string> {
    const api = new Api(this.urls[0] ?? '').withKey(this.key);
    return (await api.call<{ id: string }>('POST', 'tenant/webhooks', { url })).id;
  }

  /** Makes the waiting retries of an endpoint due. */
  async replay(endpointId: string): Promise<void> {
    await new Api(this.urls[0] ?? '')
      .withKey(this.key)
      .call('POST', `tenant/webhooks/${endpointId}/replay`, {});
  }

  /** Runs the check to its end: a killed worker's run is retried when its lease expires. */
  async check(): Promise<void> {
    const api = new Api(this.urls[0] ?? '').withKey(this.key);
    const run = await api.call<Run>('POST', 'admin/scheduler/check-notifications/trigger?wait=true');
    await until(
      'the check to end',
      async () => {
        if (!['queued', 'running'].includes(run.state)) return true;
        await delay(RUN_POLL_MS);
        const runs = await api.call<{ data: { id: string; state: string }[] }>('GET', 'admin/runs?limit=100');
        const now = runs.data.find(({ id }) => id === run.run_id);
        if (now === undefined) throw new Error(`the list of runs lacks ${run.run_id}`);
        run.state = now.state;
        return false;
      },
      CHECK_WITHIN_MS,
    ).catch((error: unknown) => {
      throw new Error(`the check is still ${JSON.stringify(run)}`, { cause: error });
    });
    if (run.state !== 'succeeded') throw new Error(`the check is ${run.state}`);
  }

  /** Writes to users; resolves when accepted. @returns the id of each one's notification, in order. */
  async notify(user_ids: readonly string[]): Promise<string[]> {
    this.asked += 1;
    const subject = `Message ${this.asked}`;
    const { notifications } = await this.post<{ notifications: { id: string }[] }>('notifications', {
      ...{ channel: 'email', user_ids, subject, body: 'Bonjour' },
    });
    const ids = notifications.map(({ id }) => id);
    this.accepted.push(...ids);
    return ids;
  }

  /** Creates users continuously, so many in parallel, with a short pause after each. */
  load(parallel: number): Load {
    return this.repeat(() => this.person(), PAUSE_MS, parallel);
  }

  /** Makes a request continuously, so many in parallel, with a pause after each. */
  repeat(request: () => Promise<unknown>, pauseMs: number, parallel = 1): Load {
    let running = true;
    const client = async () => {
      while (running) {
        await request();
        await delay(pauseMs);
      }
    };
    const clients = Promise.all(Array.from({ length: parallel }, client));
    // `stop()` reports the error, possibly later.
    clients.catch(() => undefined);
    return {
      stop: async () => {
        running = false;
        await clients;
      },
    };
  }

  private async accept(path: string, body: object): Promise<string> {
    const { id } = await this.post<{ id: string }>(path, body);
    this.accepted.push(id);
    return id;
  }

  /** @throws Error if there was no 2xx for half a minute. */
  private async post<Body>(path: string, body: object): Promise<Body> {
    const headers = {
      'x-api-key': this.key,
      'idempotency-key': randomUUID(),
      'content-type': 'application/json',
    };
    const deadline = performance.now() + PERSISTENCE_MS;
    const first = this.spread ? this.asked : 0;
    for (let attempt = first; performance.now() < deadline; attempt++) {
      const url = this.urls[attempt % this.urls.length] ?? '';
      try {
        const response = await fetch(`${url}/api/v1/${path}`, {
          method: 'POST',
          headers,
          body: JSON.stringify(body),
          signal: AbortSignal.timeout(PATIENCE_MS),
        });
        const text = await response.text();
        if (response.ok) return JSON.parse(text) as Body;
        this.refusals.push(`${response.status} ${text}`);
      } catch (error) {
        const { message, cause } = error as Error;
        this.refusals.push(cause instanceof Error ? `${message}: ${cause.message}` : message);
      }
      await delay(PAUSE_MS);
    }
    throw new Error(`POST ${path} was never answered with a 2xx; last: ${this.refusals.at(-1) ?? ''}`);
  }
}
