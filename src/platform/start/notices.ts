import { type Config, configurationWarnings, publicUrl } from '../config/config.js';
import { isLoopback } from '../config/formats.js';
import { nearMisses } from '../config/near-misses.js';

/** Something that the operator may still have to do, for the last lines of the start. */
export interface Notice {
  event: string;
  hint: string;
}

/**
 * @param firstRunToken creates the first operator; null if there is one.
 * @param names the variables of the environment.
 */
export function startNotices(
  config: Config,
  firstRunToken: string | null,
  names: readonly string[],
): Notice[] {
  const warnings = [...nearMisses(names), ...configurationWarnings(config)];
  return [
    ...warnings.map((hint) => ({ event: 'configuration_warning', hint })),
    ...(firstRunToken === null ? [] : [noOperator(config, firstRunToken)]),
    ...(config.smtpHost === null ? [NO_EMAIL] : []),
    ...(servesPlainHttp(config) ? [PLAIN_HTTP] : []),
  ];
}

/**
 * The token is part of a sentence, because logs hide fields with such a name, and this line is the only place
 * to read it.
 */
function noOperator(config: Config, token: string): Notice {
  const command = 'run "npx vigie operators create <email>"';
  const settings = 'set VIGIE_OPERATOR_EMAIL and VIGIE_OPERATOR_PASSWORD and start again';
  const page = config.roles.includes('web') ? `open ${publicUrl(config)}/first-run#token=${token} , or ` : '';
  return { event: 'no_operator', hint: `nobody can sign in yet: ${page}${command}, or ${settings}` };
}

const NO_EMAIL: Notice = {
  event: 'email_not_configured',
  hint: 'e-mails are recorded as suppressed and never sent: set SMTP_HOST to send them',
};

const PLAIN_HTTP: Notice = {
  event: 'plain_http',
  hint: 'other machines reach this server without encryption: put a reverse proxy with TLS in front of it, and set TRUST_PROXY and VIGIE_PUBLIC_URL=https://…',
};

/** Whether other machines connect without any sign of TLS. */
function servesPlainHttp({ host, roles, publicUrl, trustProxy }: Config): boolean {
  return (
    roles.includes('web') &&
    !isLoopback(host) &&
    trustProxy === null &&
    publicUrl?.startsWith('https://') !== true
  );
}
