import { randomUUID } from 'node:crypto';
import type { INestApplicationContext } from '@nestjs/common';
import { AuditLog } from '../platform/audit/audit-log.js';
import { Problem } from '../platform/errors/problem.js';

/** Anyone who can start the command line may do everything, so the audit log names no person. */
const WHO = { actor: 'cli', actor_kind: 'cli', ip: null } as const;

/** An act on the command line. */
export interface CommandAct {
  /** `vigie operators create` */
  action: string;
  targets?: Readonly<Record<string, string>>;
  /** The tenant whose log gets it; the installation's by default. */
  tenant?: { id: string } | { slug: string };
}

/**
 * Runs an audited act, like a request: recorded before, its outcome after.
 * @param work may add targets with `note`, such as the id of what it creates
 */
export async function audited<Result>(
  app: INestApplicationContext,
  { action, targets = {}, tenant }: CommandAct,
  work: (note: (targets: Readonly<Record<string, string>>) => void) => Promise<Result>,
): Promise<Result> {
  const log = app.get(AuditLog, { strict: false });
  const request_id = `cli-${randomUUID()}`;
  const written = await log.write({ ...WHO, action, targets, tenant: tenant ?? null, request_id });
  let noted: Readonly<Record<string, string>> = {};
  const note = (more: typeof noted) => {
    noted = { ...noted, ...more };
  };
  try {
    const result = await work(note);
    await log.finish(written, 200, null, noted);
    return result;
  } catch (error) {
    await log.finish(written, error instanceof Problem ? error.status : 500, null, noted);
    throw error;
  }
}

/** The text of a refusal for the command line: its details, without codes. */
export function sentenceOf(error: unknown): unknown {
  if (!(error instanceof Problem)) return error;
  const { errors } = error.options;
  const faults = errors?.map(({ pointer, detail }) => `${pointer.slice(1)} ${detail}`) ?? [];
  return new Error(faults.length > 0 ? faults.join('; ') : error.message, { cause: error });
}
