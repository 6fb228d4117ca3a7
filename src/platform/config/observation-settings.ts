import { parseUrl } from '../text/url.js';
import { atLeast, choiceVariable, type Format, optionalVariable } from './variables.js';

/** Its path is a secret of the service, so its type does not begin with URL: a shown URL keeps its path. */
const HEARTBEAT_URL: Format = {
  type: 'http or https URL, may contain {job}',
  check: (text) => {
    const { protocol, username, password } = parseUrl(text.replaceAll('{job}', 'job')) ?? { protocol: '' };
    if (protocol !== 'http:' && protocol !== 'https:')
      throw new Error('must be a URL that begins with http:// or https://');
    if (username !== '' || password !== '') throw new Error('must not contain a user name or password');
    if (/[{}]/.test(text.replaceAll('{job}', ''))) throw new Error('may contain only the field {job}');
  },
};

/** The settings for watching Vigie from outside: a part of SCHEMA. */
export const OBSERVATION_SETTINGS = {
  metricsToken: optionalVariable({
    env: 'METRICS_TOKEN',
    yaml: 'metrics.token',
    secret: true,
    check: atLeast(16),
    doc: 'Bearer token that /metrics requires; at least 16 characters. Unset: anyone who reaches the port can read the metrics (they contain no names or tenants).',
  }),
  heartbeatUrl: optionalVariable({
    env: 'HEARTBEAT_URL',
    yaml: 'heartbeat.url',
    secret: true,
    check: HEARTBEAT_URL,
    doc: 'Address that is called after each successful run (at most every 30 s for each job), so that a service like Healthchecks notices when Vigie stops. {job} in it is replaced by the name of the job. Unset: nothing is called.',
  }),
  heartbeatMethod: choiceVariable({
    env: 'HEARTBEAT_METHOD',
    yaml: 'heartbeat.method',
    words: ['get', 'post'],
    default: 'get',
    doc: 'HTTP method of the heartbeat.',
  }),
} as const;
