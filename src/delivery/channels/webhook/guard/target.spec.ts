import { AddressGuard } from './address-guard.js';
import { FORBIDDEN_HOSTS, FORBIDDEN_URLS, ipv4Spellings } from './forbidden.fixture.js';
import { TargetError, TargetGuard } from './target.js';

/** What each name resolves to; a later resolution gets the next one. */
function guardWith(
  answers: Record<string, string[][]> = {},
  { allowed = null, http = false }: { allowed?: string | null; http?: boolean } = {},
) {
  const asked: string[] = [];
  const resolve = (name: string) => {
    asked.push(name);
    const found = answers[name];
    if (found === undefined) return Promise.reject(Object.assign(new Error(name), { code: 'ENOTFOUND' }));
    return Promise.resolve((found.length > 1 ? found.shift() : found[0]) ?? []);
  };
  return { asked, guard: new TargetGuard(new AddressGuard(allowed, () => ['93.184.215.77']), resolve, http) };
}

async function faultOf(guard: TargetGuard, url: string): Promise<string> {
  try {
    await guard.resolveTarget(url);
    return 'permitted';
  } catch (error) {
    if (!(error instanceof TargetError)) throw error;
    if (url.trim() !== '') expect(error.message).not.toContain(url);
    return error.fault;
  }
}

describe('V19: the URLs of endpoints', () => {
  it('has a table of 200 spellings', () => {
    expect(new Set([...FORBIDDEN_HOSTS, ...FORBIDDEN_URLS]).size).toBeGreaterThanOrEqual(200);
  });

  it.each(FORBIDDEN_HOSTS)('V19: refuses the address %s', async (host) => {
    const { guard, asked } = guardWith();
    expect(['forbidden', 'invalid']).toContain(await faultOf(guard, `https://${host}/hook`));
    expect(asked).toEqual([]);
  });

  it.each(FORBIDDEN_URLS)('V19: refuses %s', async (url) => {
    const { guard } = guardWith({ 'public.example': [['93.184.215.14']] });
    expect(['forbidden', 'invalid']).toContain(await faultOf(guard, url));
  });

  it.each([
    ['127.0.0.1.nip.io', ['127.0.0.1']],
    ['7f000001.nip.io', ['127.0.0.1']],
    ['metadata.google.internal', ['169.254.169.254']],
    ['instance-data.ec2.internal', ['169.254.169.254']],
    ['aws6.example', ['fd00:ec2::254']],
    ['alibaba.example', ['100.100.100.200']],
    ['azure.example', ['168.63.129.16']],
    ['oracle.example', ['192.0.0.192']],
    ['router.example', ['192.168.1.1']],
    ['mapped.example', ['::ffff:10.0.0.5']],
    ['mapped-hex.example', ['::ffff:a00:5']],
    ['nat64.example', ['64:ff9b::10.0.0.5']],
    ['sixtofour.example', ['2002:a00:5::1']],
    ['isatap.example', ['2001:4860::5efe:10.0.0.5']],
    ['teredo.example', ['2001:0:4136:e378:8000:63bf:3fff:fdd2']],
    ['zone.example', ['fe80::1%eth0']],
    ['self.example', ['93.184.215.77']],
    ['multicast.example', ['ff02::1']],
    ['one-of-many.example', ['93.184.215.14', '10.0.0.5']],
    ['one-of-many6.example', ['2606:2800:21f:cb07:6820:80da:af6b:8b2c', '::1']],
    ['trailing.example.', ['127.0.0.1']],
    ['UPPER.example', ['127.0.0.1']],
  ])('V19: never to the name %s, which resolves to %s', async (name, addresses) => {
    const key = name.replace(/\.$/, '').toLowerCase();
    const { guard, asked } = guardWith({ [key]: [addresses] });
    expect(await faultOf(guard, `https://${name}/hook`)).toBe('forbidden');
    expect(asked).toEqual([key]);
  });

  it.each(ipv4Spellings(93, 184, 215, 14))(
    'permits a public address in the same spelling: %s',
    async (host) => {
      const { addresses } = await guardWith().guard.resolveTarget(`https://${host}/hook`);
      expect(addresses).toEqual([{ address: '93.184.215.14', family: 4 }]);
    },
  );

  it('V19: resolves a name once, and returns the addresses to connect to: a changed answer has no effect', async () => {
    const { guard, asked } = guardWith({ 'rebind.example': [['93.184.215.14'], ['127.0.0.1']] });
    const { addresses, host } = await guard.resolveTarget('https://rebind.example/hook');
    expect(host).toBe('rebind.example');
    expect(addresses).toEqual([{ address: '93.184.215.14', family: 4 }]);
    expect(asked).toEqual(['rebind.example']);
    expect(await faultOf(guard, 'https://rebind.example/hook')).toBe('forbidden');
  });

  it.each([
    ['https://public.example/hook', ['93.184.215.14']],
    ['https://public.example:8443/hook?a=b', ['93.184.215.14']],
    ['https://public6.example', ['2606:2800:21f:cb07:6820:80da:af6b:8b2c']],
    ['https://93.184.215.14/hook', ['93.184.215.14']],
    ['https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/hook', ['2606:2800:21f:cb07:6820:80da:af6b:8b2c']],
    // DNS64: an IPv6-only installation reaches an IPv4 receiver in this way.
    ['https://nat64.example/', ['64:ff9b::93.184.215.14']],
    ['https://bücher.example/', ['93.184.215.14']],
  ])('permits %s', async (url, addresses) => {
    const { guard } = guardWith({
      'public.example': [['93.184.215.14']],
      'public6.example': [['2606:2800:21f:cb07:6820:80da:af6b:8b2c']],
      'nat64.example': [['64:ff9b::93.184.215.14']],
      'xn--bcher-kva.example': [['93.184.215.14']],
    });
    const target = await guard.resolveTarget(url);
    expect(target.addresses.map(({ address }) => address)).toEqual(addresses);
  });

  it('V19: WEBHOOK_ALLOWED_NETWORKS opens those networks and no others, WEBHOOK_ALLOW_HTTP plain HTTP', async () => {
    const { guard } = guardWith(
      { 'internal.example': [['10.1.2.3']] },
      { allowed: '10.1.0.0/16, ::1, loopback', http: true },
    );
    expect(await faultOf(guard, 'https://internal.example/hook')).toBe('permitted');
    expect(await faultOf(guard, 'http://127.0.0.1:8080/hook')).toBe('permitted');
    expect(await faultOf(guard, 'https://[::1]/hook')).toBe('permitted');
    expect(await faultOf(guard, 'https://[::ffff:10.1.0.1]/')).toBe('permitted');
    expect(await faultOf(guard, 'https://10.2.0.1/hook')).toBe('forbidden');
    expect(await faultOf(guard, 'https://169.254.169.254/')).toBe('forbidden');
    expect(await faultOf(guard, 'https://[fd00::1]/')).toBe('forbidden');
  });

  it('reports a host name that does not exist', async () => {
    expect(await faultOf(guardWith().guard, 'https://nowhere.example/')).toBe('dns');
    expect(await faultOf(guardWith({ 'empty.example': [[]] }).guard, 'https://empty.example/')).toBe('dns');
  });
});
