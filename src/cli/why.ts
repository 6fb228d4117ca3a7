import type { INestApplicationContext } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validate } from 'class-validator';
import type { ChannelChain, TraceStep } from '../notifications/trace/trace-step.dto.js';
import { type Why, type WhyFact, WhyQuery } from '../ops/trace/why.dto.js';
import { Whys } from '../ops/trace/why.service.js';
import { Problem } from '../platform/errors/problem.js';
import { TenantDirectory } from '../tenants/tenant-directory.js';
import { TenantsService } from '../tenants/tenants.service.js';
import { sentenceOf } from './audited.js';
import { type Environment, withInstallation } from './installation.js';

export interface WhyOptions {
  user?: string;
  address?: string;
  fact?: string;
  tenant?: string;
  json?: boolean;
}

/** 0: explained, 1: nothing is recorded, 2: an unknown tenant or recipient, or a wrong option. */
export interface WhyAnswer {
  text: string;
  code: 0 | 1 | 2;
}

/** `vigie why`: explains what somebody received, or did not. Changes nothing. */
export async function explainWhy(environment: Environment, options: WhyOptions): Promise<WhyAnswer> {
  const { user, address, fact, json } = options;
  if ((user === undefined) === (address === undefined)) return wrong('name either --user or --address');
  const query = plainToInstance(WhyQuery, {
    ...(user === undefined ? {} : { user }),
    ...(address === undefined ? {} : { address }),
    ...(fact === undefined ? {} : { fact }),
  });
  const [fault] = await validate(query);
  if (fault !== undefined) return wrong(`--${Object.values(fault.constraints ?? {}).join('; ')}`);
  return withInstallation(environment, async (app) => {
    const tenant = await tenantOf(app, options.tenant);
    if ('text' in tenant) return tenant;
    try {
      const why = await app
        .get(Whys, { strict: false })
        .explain(tenant.id, query, { user_id: null, locale: 'en' });
      const text = json === true ? JSON.stringify(why, null, 2) : describe(why, query);
      return { text, code: why.facts.length === 0 ? 1 : 0 };
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.code === 'not_found')
        return wrong(`${tenant.slug} has no user or webhook ${user ?? address ?? ''}`);
      const sentence = sentenceOf(error);
      return wrong(sentence instanceof Error ? sentence.message : error.message);
    }
  });
}

function wrong(text: string): WhyAnswer {
  return { text, code: 2 };
}

/** The named tenant, or the only one. */
async function tenantOf(
  app: INestApplicationContext,
  slug: string | undefined,
): Promise<{ id: string; slug: string } | WhyAnswer> {
  if (slug !== undefined) {
    const tenant = await app.get(TenantDirectory, { strict: false }).bySlug(slug);
    return tenant ?? wrong(`there is no tenant ${slug}`);
  }
  const { data } = await app.get(TenantsService, { strict: false }).list({ limit: 2 });
  const [only] = data;
  return only !== undefined && data.length === 1
    ? only
    : wrong(
        only === undefined ? 'there are no tenants' : 'there are several tenants: name one with --tenant',
      );
}

function describe(why: Why, { user, address, fact }: WhyQuery): string {
  const asked = user ?? address ?? '';
  const who = why.recipient.name === null ? asked : `${why.recipient.name} (${asked})`;
  if (why.facts.length === 0) return nothing(why, who, fact);
  const more = why.more ? ['', 'More facts match: narrow --fact.'] : [];
  return [...why.facts.map((one) => describeFact(one, who)), ...more].join('\n');
}

function describeFact(fact: WhyFact, who: string): string {
  const { title, outcome, text, until, path, steps, channels, again } = fact;
  return [
    `${who}: ${title}`,
    `  ${OUTCOMES[outcome]}: ${text}${time('until', until)}${path === null ? '' : `  ${path}`}`,
    '',
    ...steps.map((step) => line(step, step.step)),
    ...channels.flatMap(describeChannel),
    ...(again === null ? [] : ['  not again:', line(again, again.step)]),
    '',
  ].join('\n');
}

const OUTCOMES: Readonly<Record<WhyFact['outcome'], string>> = {
  arrives: 'Sent',
  waits: 'Waits',
  ends: 'Not sent',
  continues: 'Recorded',
};

function describeChannel({ channel, address, steps }: ChannelChain): string[] {
  const to = address === null || address === '' ? '' : ` to ${address}`;
  return [`  ${channel}${to}:`, ...steps.map((step) => line(step, step.step))];
}

function line({ at, text, until, by, attempt, detail, run, path }: TraceStep, name: string): string {
  const facts = [
    text,
    ...(by === null ? [] : [`by ${by}`]),
    ...(attempt === null ? [] : [`attempt ${attempt}`]),
    ...(run === null ? [] : [describeRun(run)]),
  ].join(', ');
  const reply = detail === null ? '' : `: ${detail}`;
  const where = path === null ? '' : `  ${path}`;
  return `    ${(at?.toISOString() ?? '').padEnd(24)}  ${name.padEnd(10)}  ${facts}${reply}${time('until', until)}${where}`;
}

function describeRun({ job, state, counts }: NonNullable<TraceStep['run']>): string {
  const all = Object.entries(counts ?? {}).map(([name, count]) => `${name} ${count}`);
  return `${job} ${state}${all.length === 0 ? '' : ` (${all.join(', ')})`}`;
}

function time(word: string, instant: Date | null): string {
  return instant === null ? '' : `, ${word} ${instant.toISOString()}`;
}

/** Lists the checks, so that nobody has to guess why nothing was found. */
function nothing({ checks, needs }: Why, who: string, fact: string | undefined): string {
  return [
    `Nothing is recorded for ${who}${fact === undefined ? '' : ` about "${fact}"`}.`,
    '',
    'Checks that ran:',
    ...checks.flatMap(({ job, runs, next }) => [
      `  ${job}${next === null ? '' : `, next ${next.instant.toISOString()}`}`,
      ...(runs.length === 0
        ? ['    never']
        : runs.map(
            (run) =>
              `    ${(run.started_at ?? run.due_at).toISOString()}  ${describeRun(run)}${run.error === null ? '' : `: ${run.error}`}`,
          )),
    ]),
    '',
    'They need an open item with a due date, on one of these days before it (negative: after it):',
    ...needs.map(({ kind, stages }) => `  ${kind}: ${stages.join(', ')}`),
  ].join('\n');
}
