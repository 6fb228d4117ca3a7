import { domainOf, parseEmailAddress } from './email-address.js';

describe('parseEmailAddress', () => {
  it.each([
    ['  anne.martin@Cabinet.Example ', 'anne.martin@cabinet.example'],
    // F9: characters that get pasted along with an address.
    ['\u200banne@cabinet.example\u200b\ufeff', 'anne@cabinet.example'],
    ['Anne+tva@cabinet.example', 'Anne+tva@cabinet.example'],
    ["o'brien@mail.cabinet.example", "o'brien@mail.cabinet.example"],
    ['accueil@Société.example', 'accueil@xn--socit-esab.example'],
    ['a@例え.テスト', 'a@xn--r8jz45g.xn--zckzah'],
    ['a@例え。テスト', 'a@xn--r8jz45g.xn--zckzah'],
    ['a@xn--socit-esab.example', 'a@xn--socit-esab.example'],
    [`${'a'.repeat(64)}@b.example`, `${'a'.repeat(64)}@b.example`],
  ])('%j is %j', (input, address) => {
    expect(parseEmailAddress(input)).toBe(address);
    expect(parseEmailAddress(address)).toBe(address);
  });

  it.each([
    '',
    'anne',
    '@cabinet.example',
    'anne@',
    'anne@localhost',
    'anne@[127.0.0.1]',
    'anne@127.0.0.1',
    'anne@127.1',
    'anne@cabinet..example',
    'anne@.example',
    'anne@cabinet.example.',
    'anne@-cabinet.example',
    'anne@cab_inet.example',
    'anne@cab%69net.example',
    'anne@xn--a.example',
    'anne@xn--zz.example',
    'anne@cabinet.e',
    'anne@cab\u200binet.example',
    '.anne@cabinet.example',
    'anne.@cabinet.example',
    'an..ne@cabinet.example',
    'an ne@cabinet.example',
    'hélène@cabinet.example',
    '"anne"@cabinet.example',
    'anne(x)@cabinet.example',
    'Anne <anne@cabinet.example>',
    '<anne@cabinet.example>',
    'a@cabinet.example,b@cabinet.example',
    'a@cabinet.example;b@cabinet.example',
    'a@b@cabinet.example',
    'anne@cabinet.example\n',
    'anne@cabinet.example\r\nBcc: b@cabinet.example',
    'anne@cabinet.example\u0000',
    'anne@cabinet.example> SIZE=1',
    `${'a'.repeat(65)}@b.example`,
    `a@${'b'.repeat(64)}.example`,
    `a@${'b.'.repeat(130)}example`,
    `a@${'é'.repeat(60)}.${'é'.repeat(60)}.${'é'.repeat(60)}.${'é'.repeat(60)}.example`,
  ])('refuses %j', (input) => {
    expect(parseEmailAddress(input)).toBeNull();
  });

  it('stays linear on a long text', () => {
    expect(parseEmailAddress(`${'a.'.repeat(5_000_000)}@b.example`)).toBeNull();
  });

  it('returns the domain of a parsed address', () => {
    expect(domainOf('accueil@xn--socit-esab.example')).toBe('xn--socit-esab.example');
  });
});
