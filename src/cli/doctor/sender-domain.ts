import { Resolver } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { domainOf, parseEmailAddress } from '../../platform/addresses/email-address.js';
import { DeadlineError, withTimeout } from '../../platform/clock/timeout.js';
import { isLoopback } from '../../platform/config/formats.js';
import { codeOf } from './error-text.js';
import type { DoctorContext } from './context.js';
import { fault, type Finding, note, ok, warning } from './finding.js';
import { checkSpf, type Names, withCache, type SpfResult } from './spf.js';

/** For one DNS query, in ms. */
const TIMEOUT_MS = 1_500;
/** For all DNS queries of the SPF evaluation, in ms. They run one after another, and must leave time for other checks. */
const SPF_DEADLINE_MS = 3_000;

/** Selectors that the large providers and mail servers use by default. */
const COMMON_SELECTORS = [
  'default',
  'dkim',
  'mail',
  'google',
  'selector1',
  'selector2',
  's1',
  's2',
  'k1',
  'pm',
  'smtp',
];

type Lookup = { found: string[] } | { found: null; why: 'no_domain' | 'no_data' | 'no_answer' };

/** What receivers look up about the sender's domain: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489). */
export async function checkSenderDomain({
  config,
  dnsServers,
  dkimSelectors,
}: DoctorContext): Promise<Finding[]> {
  const address = parseEmailAddress(config.smtpFromEmail ?? config.smtpUser ?? '');
  if (config.smtpHost === null || address === null) return [note('e-mail is not configured (SMTP_HOST)')];
  const domain = domainOf(address);
  const resolver = resolverOf(dnsServers);
  const own = await lookUp(resolver, domain);
  if (own.found === null && own.why === 'no_answer')
    return [note(`DNS does not answer for ${domain}: SPF, DKIM and DMARC are not checked`)];
  if (own.found === null && own.why === 'no_domain')
    return [
      isTestDomain(domain) && isLoopback(config.smtpHost)
        ? note(`${domain} is a domain for tests, and mails go to this machine`)
        : fault(
            `the sender's domain ${domain} does not exist in DNS: other mail servers refuse such a sender`,
            'Set SMTP_FROM_EMAIL to an address of a domain that you own',
          ),
    ];
  const spf = spfFinding(domain, own.found ?? []);
  const [sending, dkim, dmarc] = await Promise.all([
    spf.state === 'ok' ? serverFindingInTime(resolverOf(dnsServers), config.smtpHost, address) : null,
    dkimFinding(resolver, domain, dkimSelectors ?? []),
    dmarcFinding(resolver, domain),
  ]);
  return [sending ?? spf, dkim, dmarc];
}

function resolverOf(servers: readonly string[] | undefined): Resolver {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 2 });
  if (servers !== undefined && servers.length > 0) resolver.setServers([...servers]);
  return resolver;
}

/** RFC 2606 §2 */
function isTestDomain(domain: string): boolean {
  return /(^|\.)(example|test|invalid|localhost)$/i.test(domain);
}

function spfFinding(domain: string, records: readonly string[]): Finding {
  const spf = records.filter((record) => /^v=spf1( |$)/i.test(record));
  const [record] = spf;
  if (record === undefined)
    return warning(
      `${domain} has no SPF record: many receivers refuse its mails or file them as spam`,
      `Add a TXT record to ${domain} that names your mail server, such as "v=spf1 mx -all", or the one your provider gives`,
    );
  // RFC 7208 §4.5: more than one is a permanent error.
  if (spf.length > 1)
    return fault(`${domain} has ${spf.length} SPF records, so none counts`, 'Merge them into one TXT record');
  if (/\s\+?all(\s|$)/i.test(record))
    return warning(
      `the SPF record of ${domain} lets every machine send (${record})`,
      'End it with -all or ~all',
    );
  return ok(`SPF: ${record}`);
}

/** Like `serverFinding`, within the deadline. @param resolver not shared: its queries are cancelled at the end */
async function serverFindingInTime(
  resolver: Resolver,
  host: string,
  sender: string,
): Promise<Finding | null> {
  try {
    return await withTimeout(serverFinding(resolver, host, sender), SPF_DEADLINE_MS, 'no answer');
  } catch (error) {
    if (error instanceof DeadlineError) return notEvaluated(domainOf(sender));
    throw error;
  } finally {
    resolver.cancel();
  }
}

function notEvaluated(domain: string): Finding {
  return note(
    `the SPF record of ${domain} is not evaluated: DNS does not answer for every name in it, and receivers may not get an answer either`,
  );
}

/**
 * Whether SPF allows the addresses at which Vigie reaches the mail server. Null: it does, or this is unknown, because a
 * server in this network sends from another address.
 */
async function serverFinding(resolver: Resolver, host: string, sender: string): Promise<Finding | null> {
  const names = withCache(resolver);
  const addresses = (await addressesOf(names, host)).filter((ip) => !isInside(ip));
  const results = await Promise.all(addresses.map((ip) => checkSpf(names, ip, sender)));
  const domain = domainOf(sender);
  if (results.includes('pass')) return null;
  if (results.includes('permerror'))
    return fault(
      `the SPF record of ${domain} is invalid, so receivers ignore it: a wrong term, an include without a record, or more than ten look-ups`,
      'Correct it: your provider lists the terms; look-ups inside includes count, too',
    );
  const withResult = (...wanted: readonly SpfResult[]) =>
    addresses.filter((_, place) => wanted.some((result) => result === results[place]));
  const refused = withResult('fail', 'softfail');
  if (refused.length > 0)
    return warning(
      `the SPF record of ${domain} does not let ${host} send (${refused.join(', ')}); ` +
        'this may be correct: many providers send from other addresses than the one that accepts the mail',
      `Send yourself a mail and look for "spf=pass" in the header Authentication-Results; if it is missing, add the include of your provider`,
    );
  const [unlisted] = withResult('void_limit');
  if (unlisted !== undefined)
    return warning(
      `the SPF record of ${domain} names more than two hosts without an IPv${isIP(unlisted)} address: some receivers treat it as invalid for mails from ${unlisted}`,
      'Remove the hosts that do not exist, and name others by ip4: or ip6:',
    );
  return results.includes('temperror') ? notEvaluated(domain) : null;
}

async function addressesOf(resolver: Names, host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  const found = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  return found.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
}

/** Addresses that the internet does not see: RFC 1122 (loopback), 1918, 3927, 4193, 4291 (link-local), 6598. */
function isInside(ip: string): boolean {
  const inside = new BlockList();
  inside.addSubnet('127.0.0.0', 8);
  inside.addSubnet('10.0.0.0', 8);
  inside.addSubnet('172.16.0.0', 12);
  inside.addSubnet('192.168.0.0', 16);
  inside.addSubnet('169.254.0.0', 16);
  inside.addSubnet('100.64.0.0', 10);
  inside.addAddress('::1', 'ipv6');
  inside.addSubnet('fc00::', 7, 'ipv6');
  inside.addSubnet('fe80::', 10, 'ipv6');
  return inside.check(ip, isIP(ip) === 6 ? 'ipv6' : 'ipv4');
}

async function dkimFinding(
  resolver: Resolver,
  domain: string,
  selectors: readonly string[],
): Promise<Finding> {
  const asked = selectors.length > 0 ? selectors : COMMON_SELECTORS;
  const keys = await Promise.all(
    asked.map(async (selector) => ({
      selector,
      lookup: await lookUp(resolver, `${selector}._domainkey.${domain}`),
    })),
  );
  if (selectors.length > 0 && keys.every(({ lookup }) => lookup.found === null && lookup.why === 'no_answer'))
    return note(`DKIM: DNS does not answer for ${domain}`);
  const present = keys.flatMap(({ selector, lookup }) =>
    (lookup.found ?? [])
      .filter((record) => /(^|;)\s*p=/.test(record))
      .map((record) => ({ selector, record })),
  );
  // RFC 6376 §3.6.1: an empty key is revoked.
  const valid = present.filter(({ record }) => /(^|;)\s*p=\s*[^;\s]/.test(record));
  if (valid.length > 0) return ok(`DKIM: key ${valid.map(({ selector }) => selector).join(', ')}`);
  const sign = 'Switch DKIM on at your mail server or provider, and add the record that it gives';
  if (present.length > 0) return fault(`the DKIM key ${present[0]?.selector} of ${domain} is revoked`, sign);
  if (selectors.length > 0)
    return fault(`${domain} has no DKIM key with the selector ${selectors.join(', ')}`, sign);
  // RFC 8020: nothing exists below a name that does not.
  const parent = await lookUp(resolver, `_domainkey.${domain}`);
  return parent.found === null && parent.why === 'no_domain'
    ? warning(`${domain} has no DKIM key`, sign)
    : note(`DKIM: no key with a common selector; name yours with --dkim-selector`);
}

async function dmarcFinding(resolver: Resolver, domain: string): Promise<Finding> {
  const organization = domain.split('.').slice(-2).join('.');
  for (const name of new Set([domain, organization])) {
    const { found } = await lookUp(resolver, `_dmarc.${name}`);
    const record = found?.find((text) => /^v=DMARC1\s*(;|$)/i.test(text));
    if (record !== undefined) return ok(`DMARC: ${record}`);
  }
  return warning(
    `${domain} has no DMARC record: Gmail and Yahoo require one of senders of many mails`,
    `Add a TXT record to _dmarc.${domain}, such as "v=DMARC1; p=none; rua=mailto:you@${domain}"`,
  );
}

async function lookUp(resolver: Resolver, name: string): Promise<Lookup> {
  try {
    return { found: (await resolver.resolveTxt(name)).map((parts) => parts.join('')) };
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOTFOUND') return { found: null, why: 'no_domain' };
    return { found: null, why: code === 'ENODATA' ? 'no_data' : 'no_answer' };
  }
}
