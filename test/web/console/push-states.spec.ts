import { browserName } from '../../../web/client/browser-name.js';
import { shownOf } from '../../../web/push-worker/content.js';

const CONTENT = {
  id: 'b1',
  title: 'Title',
  body: 'Body',
  data: { tenant: 'horizon', kind: 'bundle', notification_ids: 'n1,n2', count: '2' },
};
const UNREADABLE = { title: 'Vigie', body: '', tag: '', url: '/notifications' };

it.each([
  [{ notification_ids: 'n1', count: '1' }, '/notifications/n1?tenant=horizon'],
  [{}, '/notifications?tenant=horizon'],
  // Only a path of this server, whatever was sent.
  [
    { notification_ids: '//evil.example/?', count: '1' },
    '/notifications/%2F%2Fevil.example%2F%3F?tenant=horizon',
  ],
  [{ tenant: '&next=//evil' }, '/notifications?tenant=%26next%3D%2F%2Fevil'],
])('N6: a push about %j leads to %s', (changes, url) => {
  const text = JSON.stringify({ ...CONTENT, data: { ...CONTENT.data, ...changes } });
  expect(shownOf(text)).toEqual({ title: 'Title', body: 'Body', tag: 'b1', url });
});

it.each([
  null,
  '',
  'text',
  'null',
  '[]',
  '{}',
  '{"id":"1","title":"t","body":"b"}',
  JSON.stringify({ ...CONTENT, title: 1 }),
])('N6: what no server sends (%j) is shown without its content', (text) => {
  expect(shownOf(text)).toEqual(UNREADABLE);
});

it.each([
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox (Windows)'],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0',
    'Edge (Windows)',
  ],
  [
    'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36',
    'Chrome (Android)',
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
    'Safari (iOS)',
  ],
  ['Firefox/1', 'Firefox'],
  ['curl/8', ''],
])('N6: %s is called %j', (userAgent, name) => {
  expect(browserName(userAgent)).toBe(name);
});
