/** Spellings of an IPv4 address that clients accept (WHATWG URL §3.5). */
export function ipv4Spellings(a: number, b: number, c: number, d: number): string[] {
  const hex = (part: number) => `0x${part.toString(16)}`;
  const octal = (part: number) => `0${part.toString(8)}`;
  const whole = ((a * 256 + b) * 256 + c) * 256 + d;
  const pair = c * 256 + d;
  const triple = (b * 256 + c) * 256 + d;
  const fullWidth = (text: string) =>
    text.replace(/[0-9.]/g, (char) =>
      char === '.' ? '\u3002' : String.fromCharCode(char.charCodeAt(0) + 0xfee0),
    );
  const circled = (text: string) =>
    text.replace(/[0-9]/g, (digit) =>
      digit === '0' ? '\u24ea' : String.fromCharCode(0x245f + Number(digit)),
    );
  const dotted = `${a}.${b}.${c}.${d}`;
  return [
    dotted,
    `${dotted}.`,
    `${a}.${b}.${pair}`,
    `${a}.${triple}`,
    String(whole),
    `${whole}.`,
    hex(whole),
    `0X${whole.toString(16).toUpperCase()}`,
    octal(whole),
    `00${octal(whole)}`,
    [hex(a), hex(b), hex(c), hex(d)].join('.'),
    [octal(a), octal(b), octal(c), octal(d)].join('.'),
    [hex(a), octal(b), c, d].join('.'),
    [a, b, c, hex(d)].join('.'),
    [octal(a), b, c, d].join('.'),
    `${hex(a)}.${hex(triple)}`,
    `${octal(a)}.${octal(b)}.${octal(pair)}`,
    `000${octal(a)}.${b}.${c}.${d}`,
    `0x000${a.toString(16)}.${b}.${c}.${d}`,
    `%${a.toString().charCodeAt(0).toString(16)}${dotted.slice(1)}`,
    dotted.replace(/./g, (char) => `%${char.charCodeAt(0).toString(16)}`),
    fullWidth(dotted),
    circled(dotted),
    dotted.replaceAll('.', '\uff0e'),
    dotted.replaceAll('.', '\uff61'),
  ];
}

/** The same inside IPv6. */
function ipv6Spellings(a: number, b: number, c: number, d: number): string[] {
  const dotted = `${a}.${b}.${c}.${d}`;
  const mapped = `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  return [
    `[::ffff:${dotted}]`,
    `[::ffff:${mapped}]`,
    `[0:0:0:0:0:ffff:${mapped}]`,
    `[0000:0000:0000:0000:0000:FFFF:${mapped}]`,
    `[::${dotted}]`,
    `[::${mapped}]`,
    `[64:ff9b::${dotted}]`,
    `[64:ff9b::${mapped}]`,
    `[64:ff9b:1::${dotted}]`,
    `[2002:${mapped}::]`,
    `[2002:${mapped}::1]`,
    `[2001:4860:4860::5efe:${dotted}]`,
    `[2001:4860:4860:0:200:5efe:${mapped}]`,
    `[fe80::5efe:${dotted}]`,
  ];
}

/** Hosts that lead to no public address, each in its own spelling. */
export const FORBIDDEN_HOSTS: readonly string[] = [
  ...ipv4Spellings(127, 0, 0, 1),
  ...ipv6Spellings(127, 0, 0, 1),
  ...ipv4Spellings(169, 254, 169, 254),
  ...ipv6Spellings(169, 254, 169, 254),
  ...ipv4Spellings(10, 0, 0, 5),
  ...ipv6Spellings(10, 0, 0, 5),
  // Other forbidden addresses, plainly written.
  ...['0.0.0.0', '0', '0x0', '00', '127.1', '127.0.1', '127.255.255.254', '10.255.255.255', '172.16.0.1'],
  ...['172.31.255.255', '192.168.0.1', '192.168.255.255', '100.64.0.1', '100.100.100.200', '100.127.255.255'],
  ...[
    '168.63.129.16',
    '169.254.0.1',
    '192.0.0.192',
    '192.0.2.1',
    '192.88.99.1',
    '198.18.0.1',
    '198.19.255.255',
  ],
  ...[
    '198.51.100.7',
    '203.0.113.9',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '93.184.215.77',
  ],
  ...[
    '[::]',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[0000:0000:0000:0000:0000:0000:0000:0001]',
    '[::0.0.0.1]',
    '[0::1]',
  ],
  ...[
    '[fc00::1]',
    '[fd00:ec2::254]',
    '[fd20:ce::254]',
    '[fdff:ffff::]',
    '[fe80::1]',
    '[febf::1]',
    '[fec0::1]',
  ],
  ...[
    '[ff02::1]',
    '[ff0e::1]',
    '[100::1]',
    '[2001::1]',
    '[2001:0:4136:e378:8000:63bf:3fff:fdd2]',
    '[2001:10::1]',
  ],
  ...[
    '[2001:20::1]',
    '[2001:db8::1]',
    '[3fff::1]',
    '[3fff:fff::1]',
    '[4000::1]',
    '[5f00::1]',
    '[::ffff:0:127.0.0.1]',
  ],
  ...['[::ffff:192.168.1.1]', '[::ffff:0:0]', '[64:ff9b::c0a8:101]', '[::2]', '[8000::1]', '[e000::1]'],
  // No host at all, or not one.
  ...[
    '[fe80::1%25eth0]',
    '[::1%eth0]',
    '256.256.256.256',
    '1.2.3.4.5',
    '0x100000000',
    '127.0.0.1..',
    '...',
    '[::1',
    '[]',
  ],
];

/** URLs that hide where they lead, or that are not for HTTP over TLS. */
export const FORBIDDEN_URLS: readonly string[] = [
  'http://public.example/',
  'HTTP://public.example/',
  'ftp://public.example/',
  'file:///etc/passwd',
  'gopher://public.example:6379/_FLUSHALL',
  'data:text/plain,hello',
  'javascript:alert(1)',
  'ws://public.example/',
  '//public.example/',
  'public.example',
  '',
  ' ',
  'https:',
  'https://',
  'https:///',
  'https:/public.example',
  'https:public.example',
  'https:\\\\public.example\\',
  'https://public.example\\@127.0.0.1/',
  'https://127.0.0.1\\@public.example/',
  'https://user@public.example/',
  'https://user:password@public.example/',
  'https://:password@public.example/',
  'https://@public.example/',
  'https://public.example@127.0.0.1/',
  'https://public.example:443@127.0.0.1/',
  'https://public.example%00.127.0.0.1/',
  'https://public.example#@127.0.0.1/',
  'https://public.example/#fragment',
  'https://127.0.0.1#public.example',
  'https://127.0.0.1?public.example',
  'https://public.example:22/',
  'https://public.example:25/',
  'https://public.example:80/',
  'https://public.example:0/',
  'https://public.example:1023/',
  'https://public.example:65536/',
  'https://public.example:-1/',
  'https://public.example:443:443/',
  ' https://public.example/',
  'https://public.example/ ',
  'https://pub\tlic.example/',
  'https://public.example/\r\nHost: 127.0.0.1',
  'https://public.example/\u0000',
  'https://public.exa\u200bmple/',
  'https://public.exa\u00admple/',
  'https://pub lic.example/',
  'https://public.example../',
  `https://${'a'.repeat(254)}/`,
  `https://public.example/${'a'.repeat(2_000)}`,
  'https://localhost.:22/',
  'https://[::1]:443/',
  'https://[::ffff:7f00:1]:8443/hook',
  'https://127.0.0.1:8443/hook',
  'https://2130706433:8443/hook',
];
