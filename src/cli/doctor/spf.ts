import { BlockList, isIP } from 'node:net';
import { codeOf } from './error-text.js';

/** RFC 7208 §2.6. `void_limit` is a permerror for receivers that apply the recommended limit of §4.6.4. */
export type SpfResult =
  'pass' | 'fail' | 'softfail' | 'neutral' | 'none' | 'temperror' | 'permerror' | 'void_limit';

/** §4.6.4: the most terms that may query DNS, and the most of them that may find no record. */
const MAX_LOOKUPS = 10;
const MAX_VOID = 2;
const MAX_NAMES = 10;
const RESULTS = { '+': 'pass', '-': 'fail', '~': 'softfail', '?': 'neutral' } as const;

class SpfError extends Error {
  constructor(readonly result: 'temperror' | 'permerror' | 'void_limit') {
    super(result);
  }
}

/** How many terms of a check have queried DNS, and how many of them found no record. */
interface QueryCounts {
  lookups: number;
  voids: number;
}

/** A term that queries DNS. It counts as void once, even if several of its names have no record. */
interface Term {
  isVoid: boolean;
}

/** DNS queries, as in `Resolver` of node:dns/promises. */
export interface Names {
  resolveTxt(name: string): Promise<string[][]>;
  resolve4(name: string): Promise<string[]>;
  resolve6(name: string): Promise<string[]>;
  resolveMx(name: string): Promise<{ exchange: string }[]>;
}

/** Sends each query once, and caches its answer. */
export function withCache(names: Names): Names {
  const once = <Answer>(ask: (name: string) => Promise<Answer>) => {
    const answers = new Map<string, Promise<Answer>>();
    return (name: string) => {
      const answer = answers.get(name) ?? ask(name);
      answers.set(name, answer);
      return answer;
    };
  };
  return {
    resolveTxt: once((name) => names.resolveTxt(name)),
    resolve4: once((name) => names.resolve4(name)),
    resolve6: once((name) => names.resolve6(name)),
    resolveMx: once((name) => names.resolveMx(name)),
  };
}

/**
 * The SPF result for mail of this sender from this address (RFC 7208 §4). `ptr`, which §5.5 advises against, never
 * matches. If the result depends on a macro other than `%{i}`, `%{d}`, `%{s}`, `%{l}`, `%{o}`, it is `neutral`.
 * @param sender the address in MAIL FROM
 */
export async function checkSpf(resolver: Names, ip: string, sender: string): Promise<SpfResult> {
  const domain = sender.slice(sender.lastIndexOf('@') + 1);
  try {
    return await new Evaluation(resolver, ip, sender).of(domain);
  } catch (error) {
    if (error instanceof SpfError) return error.result;
    throw error;
  }
}

class Evaluation {
  private readonly counts: QueryCounts = { lookups: 0, voids: 0 };

  constructor(
    private readonly resolver: Names,
    private readonly ip: string,
    private readonly sender: string,
  ) {}

  async of(domain: string): Promise<SpfResult> {
    const texts = (await this.ask(() => this.resolver.resolveTxt(domain), null)).map((parts) =>
      parts.join(''),
    );
    const records = texts.filter((text) => /^v=spf1( |$)/i.test(text));
    if (records.length > 1) throw new SpfError('permerror');
    if (records[0] === undefined) return 'none';
    const terms = records[0].split(/ +/).slice(1).filter(Boolean);
    const modifiers = terms.filter((term) => /^[a-z][a-z0-9_.-]*=/i.test(term));
    const redirects = modifiers.filter((term) => /^redirect=/i.test(term));
    if (redirects.length > 1) throw new SpfError('permerror');
    const mechanisms = terms.filter((term) => !modifiers.includes(term)).map(parseMechanism);
    for (const { qualifier, name, value } of mechanisms) {
      const matches = await this.matches(name, value, domain);
      if (matches === 'unknown') return 'neutral';
      if (matches) return RESULTS[qualifier];
    }
    const target = redirects[0]?.slice('redirect='.length);
    if (target === undefined) return 'neutral';
    this.countLookup();
    const other = this.expandMacros(target, domain);
    if (other === null) return 'neutral';
    const result = await this.of(other);
    // §6.1: a redirect to a domain without a record.
    if (result === 'none') throw new SpfError('permerror');
    return result;
  }

  private async matches(name: string, value: string, domain: string): Promise<boolean | 'unknown'> {
    if (name === 'all') return true;
    if (name === 'ip4' || name === 'ip6') return this.isIn([value], name === 'ip4' ? 4 : 6);
    this.countLookup();
    // §5.5 advises against it.
    if (name === 'ptr') return false;
    const [, given = '', bits4 = '', bits6 = ''] = /^:?([^/]*)(?:\/(\d+))?(?:\/\/(\d+))?$/.exec(value) ?? [];
    const target = this.expandMacros(given || domain, domain);
    if (target === null) return 'unknown';
    if (name === 'include') {
      const result = await this.of(target);
      // §5.2: an include without a record.
      if (result === 'none') throw new SpfError('permerror');
      return result === 'pass';
    }
    const term: Term = { isVoid: false };
    if (name === 'exists') return (await this.ask(() => this.resolver.resolve4(target), term)).length > 0;
    const hosts = name === 'a' ? [target] : await this.mailHosts(target, term);
    const version = isIP(this.ip) as 4 | 6;
    const bits = version === 4 ? bits4 || '32' : bits6 || '128';
    for (const host of hosts) {
      const addresses = await this.ask(
        () => (version === 4 ? this.resolver.resolve4(host) : this.resolver.resolve6(host)),
        term,
      );
      if (
        this.isIn(
          addresses.map((address) => `${address}/${bits}`),
          version,
        )
      )
        return true;
    }
    return false;
  }

  /** §4.6.4: more than ten mail hosts are an error. */
  private async mailHosts(domain: string, term: Term): Promise<string[]> {
    const found = await this.ask(() => this.resolver.resolveMx(domain), term);
    if (found.length > MAX_NAMES) throw new SpfError('permerror');
    return found.map(({ exchange }) => exchange);
  }

  private isIn(ranges: readonly string[], version: 4 | 6): boolean {
    const list = new BlockList();
    const family = version === 4 ? 'ipv4' : 'ipv6';
    for (const range of ranges) {
      const [address = '', bits = version === 4 ? '32' : '128'] = range.replace(/^:/, '').split('/');
      if (isIP(address) !== version || !/^\d{1,3}$/.test(bits) || Number(bits) > (version === 4 ? 32 : 128))
        throw new SpfError('permerror');
      list.addSubnet(address, Number(bits), family);
    }
    return isIP(this.ip) === version && list.check(this.ip, family);
  }

  /** Expands macros (§7). @returns null for macros that are not supported */
  private expandMacros(name: string, domain: string): string | null {
    const [, local = '', own = ''] = /^(.*)@(.*)$/.exec(this.sender) ?? [];
    const macros: Record<string, string> = { i: this.ip, d: domain, s: this.sender, l: local, o: own };
    const filled = name
      .replace(/%\{([idslo])\}/gi, (_, letter: string) => macros[letter.toLowerCase()] ?? '')
      .replace(/%%/g, '%');
    return filled.includes('%{') || (filled.includes(':') && name.includes('%')) ? null : filled;
  }

  private countLookup(): void {
    if (++this.counts.lookups > MAX_LOOKUPS) throw new SpfError('permerror');
  }

  /** @param term the term to count if there is no record; null: count nothing */
  private async ask<Answer>(question: () => Promise<Answer[]>, term: Term | null): Promise<Answer[]> {
    try {
      return await question();
    } catch (error) {
      if (!['ENOTFOUND', 'ENODATA'].includes(codeOf(error) ?? '')) throw new SpfError('temperror');
      if (term === null || term.isVoid) return [];
      term.isVoid = true;
      if (++this.counts.voids > MAX_VOID) throw new SpfError('void_limit');
      return [];
    }
  }
}

const MECHANISM = /^([-+~?])?(all|include|a|mx|ptr|ip4|ip6|exists)((?:[:/].*)?)$/i;

/** What may follow the name of a mechanism: §5.1 to §5.7. */
const HOSTS = /^(?::[^/]+)?(?:\/(?:\d|[12]\d|3[0-2]))?(?:\/\/(?:\d|[1-9]\d|1[01]\d|12[0-8]))?$/;
const VALUES: Readonly<Record<string, RegExp>> = {
  all: /^$/,
  include: /^:.+$/,
  exists: /^:.+$/,
  ptr: /^(?::.+)?$/,
  a: HOSTS,
  mx: HOSTS,
  ip4: /^:./,
  ip6: /^:./,
};

/** @throws SpfError for an unknown or wrong mechanism, even after one that matches: §4.6 */
function parseMechanism(term: string): { qualifier: keyof typeof RESULTS; name: string; value: string } {
  const [, qualifier = '+', written = '', value = ''] = MECHANISM.exec(term) ?? [];
  const name = written.toLowerCase();
  if (VALUES[name]?.test(value) !== true) throw new SpfError('permerror');
  return { qualifier: qualifier as keyof typeof RESULTS, name, value };
}
