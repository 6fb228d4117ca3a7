import { randomUUID } from 'node:crypto';
import type { INestApplicationContext } from '@nestjs/common';
import { AuditLog } from '../platform/audit/audit-log.js';
import { Problem } from '../platform/errors/problem.js';

/** The command line has no sign-in, so the audit log records only that it was used. */
const WHO = { actor: 'cli', actor_kind: 'cli', ip: null } as const;

/** An act on the command line. */
export interface CommandAct {
  /** `vigie operators create` */
  action: string;
  targets?: Readonly<Record<string, string>>;
  /** The tenant whose log records it; the installation's log by default. */
  tenant?: { id: string } | { slug: string };
}

/** Runs audited work: recorded before it starts, with its outcome after it ends, like a request. */
export async function audited<Result>(
  app: INestApplicationContext,
  { action, targets = {}, tenant }: CommandAct,
  work: () => Promise<Result>,
): Promise<Result> {
  const log = app.get(AuditLog, { strict: false });
  const request_id = `cli-${randomUUID()}`;
  const written = await log.write({ ...WHO, action, targets, tenant: tenant ?? null, request_id });
  try {
    const result = await work();
    await log.finish(written, 200, null);
    return result;
  } catch (error) {
    await log.finish(written, error instanceof Problem ? error.status : 500, null);
    throw error;
  }
}

/** A refusal for the command line: its details, without codes. */
export function sentenceOf(error: unknown): unknown {
  if (!(error instanceof Problem)) return error;
  const { errors } = error.options;
  const faults = errors?.map(({ pointer, detail }) => `${pointer.slice(1)} ${detail}`) ?? [];
  return new Error(faults.length > 0 ? faults.join('; ') : error.message, { cause: error });
}
