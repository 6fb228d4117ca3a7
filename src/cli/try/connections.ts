import { type Ending, Failure, type Step } from './step.js';

/** A service in the response of `GET admin/connections`. */
interface Connection {
  service: string;
  /** False: not configured, so not tested. */
  configured: boolean;
  ok: boolean | null;
  latency_ms: number | null;
  error: string | null;
}

/** What to check, by the prefix of a service's name. */
const ADVICE: readonly (readonly [string, string])[] = [
  [
    'smtp',
    'Check SMTP_HOST, SMTP_PORT, SMTP_USER, SMTP_PASSWORD, and SMTP_TLS or SMTP_SSL; set SMTP_CA_FILE if your own authority issued the certificate.',
  ],
  ['postgres', 'Check DATABASE_URL, DATABASE_APP_URL and DATABASE_SYSTEM_URL, and that PostgreSQL runs.'],
  ['redis', 'Check REDIS_URL, and that Redis runs.'],
  ['sms', 'Check the settings of SMS_PROVIDER.'],
  ['push', 'Check FCM_SERVICE_ACCOUNT_FILE and the settings of VAPID.'],
];

/** Whether the server can reach its configured services. */
export const connections: Step = {
  name: 'connections',
  async run(trial): Promise<Ending> {
    const { operator } = trial;
    if (operator === null) return { skipped: 'only operators can test connections' };
    const { data } = await operator.call<{ data: Connection[] }>('GET', 'admin/connections');
    trial.configured = new Set(data.filter(({ configured }) => configured).map(({ service }) => service));
    const broken = data.filter(({ ok }) => ok === false);
    if (broken.length > 0) {
      throw new Failure(
        broken.map(({ service, error }) => `${service}: ${error ?? 'no answer'}`).join('; '),
        ADVICE.filter(([name]) => broken.some(({ service }) => service.startsWith(name)))
          .map(([, advice]) => advice)
          .join(' '),
      );
    }
    return { ok: data.map(describe).join(', ') };
  },
};

function describe({ service, configured, latency_ms }: Connection): string {
  return configured ? `${service} ${Math.round(latency_ms ?? 0)} ms` : `${service} not configured`;
}
