import { join } from 'node:path';
import { Agent, type StatusJson } from './agent.js';
import { lookAtBoard, lookAtFiles, lookAtMails, lookAtNotifications } from './night-looks.js';
import type { NightStage } from './night-stage.js';
import { lastNight, NIGHT, nightInstant, type SampleBackup } from './sample-night.js';
import type { RunAnswer } from './tenant.js';

/** A company's backups of last night, from the agents' files to the notifications; then one of them is repeated. */
export async function playNight(stage: NightStage): Promise<void> {
  const { tenant, report, catcher, folders } = stage;
  report.step(`Last night at ${tenant.sample.name}: three agents back up what is expected of them`);
  await expectJobs(stage);
  const inbox = join(folders.inbox, tenant.sample.slug);
  const night = lastNight(new Date());
  const agents = await Promise.all(NIGHT.map((sample) => Agent.set(sample, inbox, tenant.sample.name)));
  const before = catcher.count;
  const reports: StatusJson[] = [];
  for (const agent of agents) reports.push(await reportNight(stage, agent, night));
  const backups = NIGHT.flatMap((agent) => agent.backups);
  const failing = backups.filter(({ verdict }) => verdict !== 'SUCCESS');

  report.step('Scanning what they left');
  await scan(stage);
  await lookAtBoard(stage, NIGHT);
  const good = hashesOf(reports, backups);
  await lookAtFiles(stage, agents, { good, quarantined: 1, archived: 2 });
  await lookAtMails(stage, before, failing.map(alertOf));
  await lookAtNotifications(stage, failing.length);
  const { counts } = await scan(stage);
  report.expect('what a second scan found to do', Object.keys(counts).length, 0);

  report.step('What had come only half is backed up once more');
  const again = backups
    .filter(({ arrives }) => arrives === 'half')
    .map((backup): SampleBackup => ({ ...backup, arrives: 'whole', verdict: 'SUCCESS', why: '' }));
  const agent = agents.find(({ sample }) => sample.backups.some(({ arrives }) => arrives === 'half'));
  if (agent === undefined) throw new Error('no agent has to back up again');
  const alerted = catcher.count;
  const repeated = await agent.backUp(again, new Date());
  await agent.drop(repeated);
  await scan(stage);
  await lookAtBoard(stage, [{ ...agent.sample, backups: again }]);
  await lookAtFiles(stage, agents, {
    good: [...good, ...hashesOf([repeated], again)],
    quarantined: 1,
    archived: 3,
  });
  await lookAtMails(
    stage,
    alerted,
    again.map(({ database_name }) => `SAUVEGARDE RÉTABLIE - ${database_name}`),
  );
  await lookAtNotifications(stage, failing.length + again.length);
}

/** Creates the first agent's jobs one by one, the others' from a spreadsheet. */
async function expectJobs({ tenant, report }: NightStage): Promise<void> {
  const { api } = tenant.admin;
  const company_name = tenant.sample.name;
  const jobs = NIGHT.flatMap(({ agent_id, city, neighborhood, backups }) =>
    backups
      .filter(({ expected_time }) => expected_time !== null)
      .map(({ database_name, expected_time }) => ({
        agent_id,
        database_name,
        company_name,
        city,
        neighborhood,
        expected_time,
      })),
  );
  const isFirst = ({ agent_id }: { agent_id: string }) => agent_id === NIGHT[0]?.agent_id;
  const entered = jobs.filter(isFirst);
  for (const job of entered) await api.call('POST', 'backups/jobs', job);
  const lines = jobs.filter((job) => !isFirst(job)).map((job) => Object.values(job).join(';'));
  const { created } = await api.upload<{ created: number }>(
    'backups/jobs/import',
    'text/csv',
    ['agent;base;société;ville;quartier;heure prévue', ...lines].join('\n'),
  );
  report.expect('backups that are expected', entered.length + created, jobs.length);
  // The demo shows each verdict's own mail: without this, four critical ones due together would leave as one.
  await api.call('PUT', 'preferences', { preferences: [], quiet_hours: null, bundling: 'single' });
}

/** Reports by a file in the agent's folder, or over REST with its own key. */
async function reportNight(stage: NightStage, agent: Agent, night: string): Promise<StatusJson> {
  const { anyone, operator, tenant, report } = stage;
  const { agent_id, backups, reported_time, over_rest } = agent.sample;
  const said = await agent.backUp(backups, nightInstant(night, reported_time));
  if (over_rest) {
    const { key } = await operator.call<{ key: string }>('POST', `tenants/${tenant.id}/api-keys`, {
      name: `Agent ${agent_id}`,
      scopes: ['reports:write'],
      agent_id,
    });
    await anyone.withKey(key).call('POST', 'backups/reports', said);
  } else await agent.drop(said);
  const how = over_rest ? 'over REST, with a key of its own' : 'by a STATUS.json in its folder';
  report.done(`${agent_id} reports ${backups.length} databases, ${how}`);
  return said;
}

async function scan({ tenant, report }: NightStage): Promise<RunAnswer> {
  const run = await tenant.admin.api.call<RunAnswer>('POST', 'backups/scan?wait=true');
  if (run.state !== 'succeeded') throw new Error(`the scan is ${run.state}`);
  if (Object.keys(run.counts).length > 0) report.counts('Scan', run.counts);
  return run;
}

/** The hashes of the expected good backups, as their agents computed them. */
function hashesOf(reports: readonly StatusJson[], backups: readonly SampleBackup[]): string[] {
  const good = backups
    .filter(({ verdict }) => verdict === 'SUCCESS')
    .map(({ database_name }) => database_name);
  return reports.flatMap(({ databases }) => good.flatMap((name) => databases[name]?.hash_sha256 ?? []));
}

function alertOf({ database_name, verdict }: SampleBackup): string {
  return `ALERTE SAUVEGARDE - ${database_name} - ${verdict.replaceAll('_', ' ')}`;
}
