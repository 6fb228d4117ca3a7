import { checkSpf, type SpfResult } from './spf.js';

/** The zone of RFC 7208, appendix A, and faulty names. */
const TXT: Record<string, string> = {
  '_spf.example.com': 'v=spf1 ip4:192.0.2.0/24 -all',
  'loop.example.com': 'v=spf1 include:loop.example.com -all',
  'void.example.com': 'v=spf1 a:v1.example.com a:v2.example.com a:v3.example.com ip4:192.0.2.10 -all',
  'two.example.com': '\0',
};
const A: Record<string, string[]> = {
  'example.com': ['192.0.2.10', '192.0.2.11'],
  'amy.example.com': ['192.0.2.65'],
  'bob.example.com': ['192.0.2.66'],
  'mail-a.example.com': ['192.0.2.129'],
  'mail-b.example.com': ['192.0.2.130'],
  'mail-c.example.org': ['192.0.2.140'],
  'mary.mobile-users._spf.example.com': ['127.0.0.2'],
  '192.0.2.65._spf.example.com': ['127.0.0.2'],
};
const AAAA: Record<string, string[]> = { 'example.com': ['2001:db8::10'] };
const MX: Record<string, string[]> = {
  'example.com': ['mail-a.example.com', 'mail-b.example.com'],
  'example.org': ['mail-c.example.org'],
  'example.net': ['mail-a.example.com', 'mail-b.example.com', 'mail-c.example.org'],
};

const found = async <Answer>(answer: Answer | undefined): Promise<Answer> => {
  if (answer === undefined) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
  return Promise.resolve(answer);
};

/** DNS with one more record. */
const dns = (name: string, record: string) => ({
  resolveTxt: async (asked: string) => {
    if (asked === 'servfail.example.com') throw Object.assign(new Error('failed'), { code: 'ESERVFAIL' });
    const text = asked === name ? record : TXT[asked];
    if (text === '\0') return [['v=spf1 -all'], ['v=spf1 +all']];
    return found(
      text === undefined ? undefined : [[text.slice(0, 5), text.slice(5)].filter((part) => part !== '')],
    );
  },
  resolve4: ((asked: string) => found(A[asked])) as never,
  resolve6: ((asked: string) => found(AAAA[asked])) as never,
  resolveMx: (asked: string) => found(MX[asked]?.map((exchange, priority) => ({ exchange, priority }))),
});

it.each<[string, string, SpfResult]>([
  // RFC 7208, appendix A.1
  ['v=spf1 +all', '192.0.2.129', 'pass'],
  ['v=spf1 a -all', '192.0.2.10', 'pass'],
  ['v=spf1 a -all', '192.0.2.129', 'fail'],
  ['v=spf1 a:example.org -all', '192.0.2.10', 'fail'],
  ['v=spf1 mx -all', '192.0.2.129', 'pass'],
  ['v=spf1 mx -all', '192.0.2.140', 'fail'],
  ['v=spf1 mx:example.org -all', '192.0.2.140', 'pass'],
  ['v=spf1 mx mx:example.org -all', '192.0.2.140', 'pass'],
  ['v=spf1 mx/30 mx:example.org/30 -all', '192.0.2.131', 'pass'],
  ['v=spf1 mx/30 mx:example.org/30 -all', '192.0.2.143', 'pass'],
  ['v=spf1 mx/30 mx:example.org/30 -all', '192.0.2.144', 'fail'],
  ['v=spf1 ip4:192.0.2.128/28 -all', '192.0.2.129', 'pass'],
  ['v=spf1 ip4:192.0.2.128/28 -all', '192.0.2.65', 'fail'],
  // Appendix A.2 and A.4
  ['v=spf1 include:_spf.example.com -all', '192.0.2.65', 'pass'],
  ['v=spf1 redirect=_spf.example.com', '198.51.100.1', 'fail'],
  ['v=spf1 exists:%{l}.mobile-users._spf.%{d} -all', '198.51.100.1', 'pass'],
  ['v=spf1 exists:%{i}._spf.%{d} -all', '192.0.2.65', 'pass'],
  ['v=spf1 exists:%{ir}.%{v}._spf.%{d} -all', '192.0.2.65', 'neutral'],
  // Qualifiers, IPv6, no decision
  ['V=SPF1 ?ALL', '192.0.2.1', 'neutral'],
  ['v=spf1 ip6:2001:db8::/32 ~all', '2001:db8::7', 'pass'],
  ['v=spf1 ip6:2001:db8::/32 ~all', '192.0.2.1', 'softfail'],
  ['v=spf1 a -all', '2001:db8::10', 'pass'],
  ['v=spf1 a//64 -all', '2001:db8::99', 'pass'],
  ['v=spf1 ptr exp=why.example.com', '192.0.2.1', 'neutral'],
  ['v=spf2.0/pra +all', '192.0.2.1', 'none'],
  // Errors: an unknown mechanism, wrong networks, names without a record, more than ten look-ups, three void ones
  ['v=spf1 foo -all', '192.0.2.1', 'permerror'],
  ['v=spf1 a:example.com/33 -all', '192.0.2.1', 'permerror'],
  ['v=spf1 mx/24/64 -all', '192.0.2.1', 'permerror'],
  ['v=spf1 include -all', '192.0.2.1', 'permerror'],
  ['v=spf1 ip4:192.0.2.1 exists: -all', '192.0.2.1', 'permerror'],
  ['v=spf1 all:example.com', '192.0.2.1', 'permerror'],
  ['v=spf1 ip4:192.0.2.256 -all', '192.0.2.1', 'permerror'],
  ['v=spf1 ip4:192.0.2.0/33 -all', '192.0.2.1', 'permerror'],
  ['v=spf1 include:nobody.example.com -all', '192.0.2.1', 'permerror'],
  ['v=spf1 include:two.example.com -all', '192.0.2.1', 'permerror'],
  ['v=spf1 redirect=nobody.example.com', '192.0.2.1', 'permerror'],
  ['v=spf1 include:loop.example.com -all', '192.0.2.1', 'permerror'],
  ['v=spf1 include:void.example.com -all', '192.0.2.10', 'void_limit'],
  // A term counts as void once, even if several of its hosts have no address of this kind
  ['v=spf1 mx:example.net ip6:2001:db8::/32 -all', '2001:db8::7', 'pass'],
  ['v=spf1 include:servfail.example.com -all', '192.0.2.1', 'temperror'],
])('E13: %s from %s: %s', async (record, ip, result) => {
  expect(await checkSpf(dns('example.com', record), ip, 'mary@example.com')).toBe(result);
});
