import { CHANNELS } from '../../contracts/channels.js';
import { type DeadLetters, DEAD_LETTERS } from '../../delivery/admin/delivery-outcomes.js';
import { type OpenDeliveries, OPEN_DELIVERIES } from '../../delivery/admin/open-deliveries.js';
import { STATES } from '../../delivery/channel-health/channel-health.sql.js';
import type { ChannelFault } from '../../delivery/channels/sender.js';
import type { DoctorContext } from './context.js';
import { fault, type Finding, note, ok, warning } from './finding.js';
import { asRole } from './postgres-client.js';

/** Counting stops here. */
const MAX_COUNTED = 100_000;
/** As in docs/metrics.md, in seconds. */
const TOO_OLD_SECONDS = 300;
const DAY_MS = 24 * 60 * 60 * 1_000;
/** A scheduler polls at least once a minute. */
const SILENT_MS = 120_000;
const MAX_CAUSES = 3;

/** Whether a scheduler looks for due jobs. */
export async function checkScheduler({ config, now }: DoctorContext): Promise<Finding[]> {
  const polled = await rowsOf<{ polled_at: Date }>(config, 'SELECT polled_at FROM scheduler_polls', []);
  if (polled === null) return [UNREADABLE];
  const [row] = polled;
  const start = 'Start a process with the role scheduler (VIGIE_ROLES) and SCHEDULER_ENABLED=true';
  if (row === undefined) return [fault('no scheduler has ever run: no job starts on its schedule', start)];
  const silent = now() - row.polled_at.getTime();
  if (silent > SILENT_MS)
    return [
      fault(
        `the scheduler is silent since ${row.polled_at.toISOString()}: no job starts on its schedule`,
        start,
      ),
    ];
  return [ok(`a scheduler looked for due jobs ${Math.max(0, Math.round(silent / 1_000))} s ago`)];
}

/** Deliveries that wait longer than they should, and channels that are down. */
export async function checkDeliveries({ config, now }: DoctorContext): Promise<Finding[]> {
  const [open, states] = await Promise.all([
    rowsOf<OpenDeliveries>(config, OPEN_DELIVERIES, [new Date(now()), MAX_COUNTED, null]),
    rowsOf<ChannelRow>(config, STATES, [CHANNELS]),
  ]);
  if (open === null || states === null) return [UNREADABLE];
  const down = states.flatMap((state) => downFinding(state));
  const waiting = open.flatMap((channel) => waitingFinding(channel));
  const found = [...down, ...waiting];
  return found.length > 0 ? found : [ok('no delivery waits longer than 5 min, and no channel is down')];
}

interface ChannelRow {
  channel: string;
  down_since: Date | null;
  down_cause: ChannelFault | null;
  down_detail: string | null;
}

function downFinding({ channel, down_since, down_cause, down_detail }: ChannelRow): Finding[] {
  if (down_since === null || down_cause === null) return [];
  const detail = down_detail === null ? '' : `: ${down_detail}`;
  return [
    fault(
      `the channel ${channel} is down since ${down_since.toISOString()} (${down_cause})${detail}`,
      `${CHANNEL_REMEDIES[down_cause]}; then restart Vigie if settings changed, or POST admin/process`,
    ),
  ];
}

const CHANNEL_REMEDIES: Record<ChannelFault, string> = {
  unreachable: 'Check that the provider runs, its address and port, and the firewall',
  tls: 'Trust its authority (SMTP_CA_FILE), or fix the certificate at the provider',
  login: 'Correct the login of the provider',
  policy: 'Ask the provider to let this machine, login and sender send',
  quota: 'Wait until the quota is renewed, or use another account',
  misconfigured: 'Change the setting that the message names',
};

function waitingFinding({ channel, paused, up, oldest_due_seconds }: OpenDeliveries): Finding[] {
  const age = oldest_due_seconds ?? 0;
  if (paused) return [note(`the channel ${channel} is paused; "vigie queues resume" ends that`)];
  if (age <= TOO_OLD_SECONDS || !up) return [];
  return [
    fault(
      `the oldest due delivery of the channel ${channel} waits since ${Math.round(age / 60)} min`,
      'Start a process with the role worker (VIGIE_ROLES), and see its log; "vigie queues" shows the backlog',
    ),
  ];
}

/** Messages and runs that failed for good in the last day. */
export async function checkFailures({ config, now }: DoctorContext): Promise<Finding[]> {
  const since = new Date(now() - DAY_MS);
  const [letters, runs] = await Promise.all([
    rowsOf<DeadLetters>(config, DEAD_LETTERS, [CHANNELS, since]),
    rowsOf<{ job: string; count: number }>(config, FAILED_RUNS, [since]),
  ]);
  if (letters === null || runs === null) return [UNREADABLE];
  const failed = letters.reduce((sum, { count }) => sum + count, 0);
  const causes = letters.slice(0, MAX_CAUSES).map(({ channel, cause, reason, count }) => {
    const why = cause === '' ? (reason ?? 'no reason recorded') : cause;
    return `${channel}: ${why} (${count})`;
  });
  const found = [
    ...(failed === 0
      ? []
      : [
          warning(
            `${failed} messages failed for good in 24 h (${causes.join('; ')})`,
            'Remove the cause, then requeue or discard them: vigie dead-letters requeue|discard',
          ),
        ]),
    ...runs.map(({ job, count }) =>
      warning(`${count} runs of ${job} failed in 24 h`, `See GET admin/runs, then "vigie run ${job}"`),
    ),
  ];
  return found.length > 0 ? found : [ok('no message and no run failed for good in 24 h')];
}

const FAILED_RUNS = `
  SELECT job, count(*)::int AS count FROM job_runs WHERE state = 'failed' AND finished_at >= $1 GROUP BY job ORDER BY job`;

const UNREADABLE = note('not checked: PostgreSQL does not answer, or has no schema');

/** Null if PostgreSQL does not answer; the check of the logins says why. */
async function rowsOf<Row extends object>(
  config: DoctorContext['config'],
  sql: string,
  values: unknown[],
): Promise<Row[] | null> {
  return asRole(config, 'vigie_system', async (client) => (await client.query<Row>(sql, values)).rows).catch(
    () => null,
  );
}
