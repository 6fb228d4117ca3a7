import { sendError } from '../../delivery/channels/email/failure.js';
import { smtpTimeouts, type SmtpSettings } from '../../delivery/channels/email/email.settings.js';
import { smtpSettings } from '../../delivery/channels/email/smtp-config.js';
import type { ChannelFault } from '../../delivery/channels/sender.js';
import { STEP_DEADLINE_MS } from './check.js';
import type { DoctorContext } from './context.js';
import { fault, type Finding, note, ok, warning } from './finding.js';
import { trySender } from './smtp-session.js';

/** Tests the mail server as a delivery would use it, and offers the sender's address; sends nothing. */
export async function checkSmtp({ config }: DoctorContext): Promise<Finding[]> {
  if (config.smtpHost === null)
    return [note('e-mail is not configured (SMTP_HOST): mails are recorded as suppressed')];
  const settings = smtpSettings(config);
  const place = `${settings.host}:${settings.port}`;
  const switched = config.emailEnabled && config.notificationsEnabled ? [] : [OFF];
  try {
    const timeouts = {
      ...smtpTimeouts(STEP_DEADLINE_MS),
      connect_ms: STEP_DEADLINE_MS,
      login_ms: STEP_DEADLINE_MS,
    };
    const { accepted, reply } = await trySender(settings, timeouts);
    if (!accepted) return [senderFault(settings, place, reply)];
    const login = settings.user === null ? 'without a login' : `logged in as ${settings.user}`;
    return [ok(`${place}: ${login}, and ${settings.from_email} may send`), ...switched];
  } catch (error) {
    return [connectionFault(error, settings, config.smtpGreetingTimeoutSeconds), ...switched];
  }
}

const OFF: Finding = warning(
  'sending is switched off: mails wait',
  'Remove EMAIL_ENABLED=false or NOTIFICATIONS_ENABLED=false',
);

function senderFault({ from_email, user }: SmtpSettings, place: string, reply: string): Finding {
  return fault(
    `${place}: the mail server refuses the sender ${from_email}: ${oneLine(reply)}`,
    user === null
      ? 'Set SMTP_USER and SMTP_PASSWORD if the server requires a login, or SMTP_FROM_EMAIL to an address it accepts'
      : `Set SMTP_FROM_EMAIL to an address that ${user} may use, or allow this one at the mail server`,
  );
}

function connectionFault(error: unknown, settings: SmtpSettings, greetingSeconds: number): Finding {
  const { message, cause = 'unreachable', code } = sendError(error, null, settings);
  const [sentence, advice] = split(message);
  const about = `${settings.host}:${settings.port}: ${sentence}`;
  const seconds = STEP_DEADLINE_MS / 1_000;
  if (/no greeting in time/.test(message) && greetingSeconds > seconds)
    return warning(
      `${settings.host}:${settings.port}: no greeting within ${seconds} s; deliveries wait ${greetingSeconds} s`,
      'Set SMTP_SSL=true if this port uses implicit TLS; if the server delays on purpose, test with GET admin/connections',
    );
  return fault(about, advice ?? REMEDIES[cause](settings, code));
}

const REMEDIES: Record<ChannelFault, (settings: SmtpSettings, code: string | null) => string> = {
  unreachable: (_settings, code) =>
    code === 'EDNS' || code === 'ENOTFOUND'
      ? 'Correct SMTP_HOST, or the DNS of this machine'
      : 'Check SMTP_HOST and SMTP_PORT, that the mail server runs, and that no firewall blocks the port',
  tls: () => 'Set SMTP_CA_FILE for a private authority; renew a certificate that has expired',
  login: () => 'Correct SMTP_USER and SMTP_PASSWORD; Gmail and Microsoft 365 require an app password',
  policy: () => 'Ask the mail server to let this machine and login send (relay permission, block lists)',
  quota: () => 'Wait until the quota of the account is renewed, or use another account',
  misconfigured: ({ tls }) =>
    tls
      ? 'Unset SMTP_SSL for a port with STARTTLS (587)'
      : 'Use a port with STARTTLS (587), or SMTP_SSL=true with port 465; SMTP_TLS=false only on a trusted network',
};

/** "What happened: what to set", as the channel words it. */
function split(message: string): [string, string | undefined] {
  const [, sentence, advice] = /^(.*?): ((?:set|unset|SMTP_\w+=) ?.*)$/s.exec(message) ?? [];
  if (sentence === undefined || advice === undefined) return [message, undefined];
  return [sentence, advice.charAt(0).toUpperCase() + advice.slice(1)];
}

function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 200);
}
