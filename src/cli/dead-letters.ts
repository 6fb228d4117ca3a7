import type { INestApplicationContext } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { CHANNELS, type Channel } from '../contracts/channels.js';
import {
  type DeadLetterAct,
  type DeadLetterActName,
  DeadLetterActs,
  type DeadLetterChoice,
} from '../delivery/admin/dead-letter-acts.js';
import { type DeadLetters, DeliveryOutcomes } from '../delivery/admin/delivery-outcomes.js';
import { audited } from './audited.js';
import { UsageError } from './exit-codes.js';
import { type Environment, tenantOf, withReadableErrors } from './installation.js';
import { tableOf } from './table.js';

export interface DeadLettersOptions {
  days: string;
  json?: boolean;
}

export interface DeadLetterActOptions extends DeadLettersOptions {
  id?: string[];
  channel?: string;
  cause?: string;
  reason?: string;
  tenant?: string;
  why?: string;
}

const DAY_MS = 24 * 60 * 60 * 1_000;
const MAX_DAYS = 30;
const MAX_WHY = 400;

/** `vigie dead-letters`: failed deliveries by cause, as text to print. */
export async function listDeadLetters(
  environment: Environment,
  { days, json }: DeadLettersOptions,
): Promise<string> {
  const since = sinceDays(days);
  const letters = await withReadableErrors(environment, (app) =>
    app.get(DeliveryOutcomes, { strict: false }).deadLetters(since, null),
  );
  if (json === true) return JSON.stringify({ since, data: letters }, null, 2);
  if (letters.length === 0) return `No delivery failed since ${since.toISOString()}.`;
  return tableOf(['count', 'channel', 'tenants', 'last', 'reason', 'cause'], letters.map(rowOf));
}

function rowOf({ count, channel, tenants, last_at, reason, cause }: DeadLetters): string[] {
  return [String(count), channel, String(tenants), last_at.toISOString(), reason ?? '-', cause];
}

/**
 * `vigie dead-letters requeue|discard`: acts on chosen ones, to the end.
 * @throws UsageError without a choice, or without a reason for a discard.
 */
export async function actOnDeadLetters(
  environment: Environment,
  act: DeadLetterActName,
  options: DeadLetterActOptions,
): Promise<string> {
  const { tenant: slug, why, json } = options;
  const choice = choiceOf(options);
  if (act === 'discard' && (why === undefined || why.trim() === '' || why.length > MAX_WHY))
    throw new UsageError(`--why must have 1 to ${MAX_WHY} characters: the history of each delivery keeps it`);
  const done = await withReadableErrors(environment, async (app) => {
    const tenant = slug === undefined ? null : await tenantOf(app, slug);
    const audit = {
      action: `vigie dead-letters ${act}`,
      ...(tenant === null ? {} : { tenant: { id: tenant.id } }),
    };
    return audited(app, audit, () =>
      run(app, act, { ...choice, tenant_id: tenant?.id ?? null }, why ?? null),
    );
  });
  if (json === true) return JSON.stringify(done, null, 2);
  return `${act === 'requeue' ? 'Requeued' : 'Discarded'} ${done.done} of ${done.total}.`;
}

async function run(
  app: INestApplicationContext,
  act: DeadLetterActName,
  choice: DeadLetterChoice,
  why: string | null,
): Promise<DeadLetterAct> {
  const acts = app.get(DeadLetterActs, { strict: false });
  const { id } = await acts.begin(act, choice, { by: 'cli', why: act === 'discard' ? why : null });
  return acts.finish(id);
}

function choiceOf({
  id,
  channel,
  cause,
  reason,
  days,
}: DeadLetterActOptions): Omit<DeadLetterChoice, 'tenant_id'> {
  if (id === undefined && channel === undefined) throw new UsageError('choose with --id or --channel');
  const wrong = id?.find((each) => !isUUID(each));
  if (wrong !== undefined) throw new UsageError(`${wrong} is not the id of a delivery`);
  return {
    ids: id ?? null,
    channel: channel === undefined ? null : channelOf(channel),
    cause: cause ?? null,
    reason: reason ?? null,
    since: sinceDays(days),
  };
}

function channelOf(name: string): Channel {
  const channel = CHANNELS.find((each) => each === name);
  if (channel === undefined)
    throw new UsageError(`there is no channel ${name}; the channels are ${CHANNELS.join(', ')}`);
  return channel;
}

function sinceDays(written: string): Date {
  const days = Number(written);
  if (!Number.isInteger(days) || days < 1 || days > MAX_DAYS)
    throw new UsageError(`--days must be a number from 1 to ${MAX_DAYS}`);
  return new Date(Date.now() - days * DAY_MS);
}
