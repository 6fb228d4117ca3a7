import { expectedCause } from '../../platform/start/causes.js';
import { codeOf, messageOf } from './error-text.js';
import { fault, type Finding } from './finding.js';

/** A service, for the sentence about its outage. */
export interface Service {
  /** `PostgreSQL` */
  name: string;
  /** `DATABASE_URL` */
  setting: string;
  /** `host:port`, without a password. */
  place: string;
  /** How to trust a private authority, and how to change the use of TLS. */
  authority: string;
  encryption: string;
}

const UNKNOWN_AUTHORITY = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);

/** The fault of a connection that could not be opened: its cause in words, and its remedy by cause. */
export function outage(error: unknown, service: Service): Finding {
  const { name, setting, place } = service;
  const code = codeOf(error);
  const about = `${setting} at ${place}`;
  if (code !== null && UNKNOWN_AUTHORITY.has(code))
    return fault(`${about}: the certificate of ${name} is from an unknown authority`, service.authority);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return fault(
      `${about}: the certificate of ${name} is for another name`,
      `Use a host name of the certificate in ${setting}`,
    );
  if (code === 'CERT_HAS_EXPIRED')
    return fault(`${about}: the certificate of ${name} has expired`, `Renew the certificate of ${name}`);
  if (code !== null && /^(ERR_SSL|ERR_TLS|EPROTO)/.test(code))
    return fault(`${about}: ${name} does not answer in TLS`, service.encryption);
  const cause = expectedCause(error);
  const reason = cause?.reason ?? messageOf(error);
  return fault(`${about}: ${reason}`, remedyOf(code, service));
}

function remedyOf(code: string | null, { name, setting, place }: Service): string {
  switch (code) {
    case 'ECONNREFUSED':
      return `Start ${name}, or correct host and port in ${setting}`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `Correct the host name in ${setting}, or the DNS of this machine (/etc/resolv.conf)`;
    case 'EACCES':
      return `Run this as the user that runs Vigie`;
    default:
      return `Check ${setting}, that ${name} runs, and that no firewall blocks ${place}`;
  }
}
