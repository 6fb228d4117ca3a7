import { Report } from './report.js';

it('L1: ends with an address to open and its password, which fill in the form of the console', () => {
  let text = '';
  const report = new Report((line) => (text += `${line}\n`));
  const user = { email: 'claire.martin@cabinet-martin.example', password: 'a secret' };
  report.accessList(
    { url: 'http://127.0.0.1:3000', log_file: '/demo/server.log' },
    { port: 2525 },
    { inbox: '/demo/inbox', store: '/demo/store' },
    '/demo/sms.log',
    [{ sample: { slug: 'cabinet-martin' }, users: [user] }],
    { email: 'operator@vigie.example', password: 'another' },
  );
  const lines = text.trimEnd().split('\n');
  const [address, password, , end] = lines.slice(-4);
  const url = new URL(/^Open +(\S+)$/.exec(address!)![1]!);
  expect([url.origin, url.pathname]).toEqual(['http://127.0.0.1:3000', '/sign-in']);
  expect(Object.fromEntries(url.searchParams)).toEqual({ tenant: 'cabinet-martin', email: user.email });
  expect([password, end]).toEqual(['Password        a secret', 'Serving until Ctrl-C.']);
});
