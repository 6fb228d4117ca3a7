import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { createParamDecorator, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Clock } from '../clock/clock.js';
import { Database } from '../database/database.js';
import type { TenantTransaction } from '../database/transaction.js';
import { invalid, Problem } from '../errors/problem.js';
import { canonicalJson } from '../json/canonical-json.js';

/** A POST that creates: the key its caller chose (null: none) and a hash of the request. */
export interface CreatingRequest {
  key: string | null;
  /** Computed only for a request with a key: most have none. */
  hash: () => Buffer;
}

/** The request together with its uploaded file. */
export function withContent({ key, hash }: CreatingRequest, sha256: string): CreatingRequest {
  return { key, hash: () => createHash('sha256').update(hash()).update(sha256).digest() };
}

const CreatingRequestParam = createParamDecorator(
  (_data: unknown, context: ExecutionContext): CreatingRequest => {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const key = request.headers['idempotency-key'] ?? null;
    if (Array.isArray(key) || (key !== null && !/^[\x21-\x7e]{1,255}$/.test(key))) {
      throw invalid('/headers/idempotency-key', 'must be 1 to 255 visible ASCII characters');
    }
    // A file is still being received: its reader adds the hash (withContent).
    const isFile = request.body instanceof Readable;
    const { method, url, body } = request;
    const hash = () =>
      createHash('sha256')
        .update(`${method} ${url}\n`)
        .update(isFile ? '' : canonicalJson(body ?? null))
        .digest();
    return { key, hash };
  },
);

/** Parameter of a controller's creating method; also documents the header. */
export function Creating(): ParameterDecorator {
  return (target, method, index) => {
    CreatingRequestParam()(target, method, index);
    const descriptor = method === undefined ? undefined : Object.getOwnPropertyDescriptor(target, method);
    if (method === undefined || descriptor === undefined) throw new Error('@Creating() is for methods');
    ApiHeader({
      name: 'Idempotency-Key',
      required: false,
      description: 'A retry with the same key within 24 h returns the first answer and creates nothing',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
    })(target, method, descriptor);
  };
}

interface KeyRow {
  request_hash: Buffer;
  response: unknown;
}

/**
 * Creates once per key: the key is stored in the creating transaction, so that a retry, even a concurrent one, gets the
 * first response again.
 */
@Injectable()
export class Idempotency {
  constructor(
    private readonly database: Database,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /** @throws Problem idempotency_mismatch when the key was used with another request. */
  async create<Result>(
    caller: { tenant_id: string; principal: string },
    request: CreatingRequest,
    work: (tx: TenantTransaction) => Promise<Result>,
  ): Promise<Result> {
    return this.database.tenant(caller.tenant_id, async (tx) => {
      if (request.key === null) return work(tx);
      const identity = [tx.tenant_id, caller.principal, request.key];
      const hash = request.hash();
      // Waits here for another transaction that holds the same key.
      const fresh = await tx.execute(
        `INSERT INTO idempotency_keys (tenant_id, principal, key, request_hash, created_at)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
        [...identity, hash, this.clock.now()],
      );
      if (fresh === 0) return this.replay<Result>(tx, identity, hash);
      const result = await work(tx);
      await tx.execute(
        `UPDATE idempotency_keys SET response = $4 WHERE tenant_id = $1 AND principal = $2 AND key = $3`,
        [...identity, JSON.stringify(result)],
      );
      return result;
    });
  }

  private async replay<Result>(tx: TenantTransaction, identity: string[], hash: Buffer): Promise<Result> {
    const row = await tx.one<KeyRow>(
      `SELECT request_hash, response FROM idempotency_keys WHERE tenant_id = $1 AND principal = $2 AND key = $3`,
      identity,
    );
    if (row === null || !row.request_hash.equals(hash)) throw new Problem('idempotency_mismatch');
    // Written by `create` above as the result of the same request.
    return row.response as Result;
  }
}
