import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesUnder, parse, ROOT } from './sources.js';

/** Which folder of web/ may import which, as ARCHITECTURE.md says; each also itself. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  words: [],
  client: [],
  design: ['client', 'words'],
  inbox: ['client', 'design', 'words'],
  console: ['client', 'design', 'inbox', 'words'],
  'push-worker': ['client'],
};
/** Of the server, only the types of what the sockets and pushes carry. */
const CONTRACTS: Readonly<Record<string, string>> = {
  client: 'src/contracts/socket-messages.ts',
  'push-worker': 'src/contracts/web-push.ts',
};
/** Words that the server has, too. */
const SHARED_WORDS = /^templates\/\w+\/reasons\.json$/;

const files = filesUnder('web').filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'));

/** The fault of an import from one file to another, or null. */
function faultOf(from: string, to: string): string | null {
  const [, folder = ''] = from.split('/');
  const [root, target = ''] = to.split('/');
  const isAllowed =
    root === 'web'
      ? folder === target || (ALLOWED[folder] ?? []).includes(target)
      : to === CONTRACTS[folder] || (folder === 'words' && SHARED_WORDS.test(to));
  return isAllowed ? null : `${from} imports ${to}`;
}

describe('imports of the front end', () => {
  const imports = files.flatMap((path) =>
    parse(path, readFileSync(join(ROOT, path), 'utf8')).imports.map((to) => ({ path, to })),
  );

  it('follow its arrows: client and words ← design ← inbox ← console, client ← push-worker', () => {
    expect(files.length).toBeGreaterThan(10);
    expect(imports.map(({ path, to }) => faultOf(path, to)).filter((fault) => fault !== null)).toEqual([]);
  });

  it('lead to files that exist', () => {
    const isMissing = (to: string) =>
      ![to, to.replace(/\.ts$/, '.d.ts')].some((one) => existsSync(join(ROOT, one)));
    expect(imports.filter(({ to }) => isMissing(to))).toEqual([]);
  });

  it.each([
    ['web/client/rest.ts', 'web/inbox/store.ts'],
    ['web/inbox/store.ts', 'web/console/live.ts'],
    ['web/design/confirm.ts', 'web/console/page.ts'],
    ['web/design/tokens.ts', 'web/inbox/styles.ts'],
    ['web/words/en.ts', 'web/design/times.ts'],
    ['web/inbox/store.ts', 'src/app.ts'],
    ['web/client/rest.ts', 'src/platform/clock/clock.ts'],
    ['web/console/page.ts', 'templates/en/reasons.json'],
    ['web/console/push.ts', 'web/push-worker/content.ts'],
    ['web/push-worker/push-worker.ts', 'web/words/en.ts'],
  ])('do not go from %s to %s', (from, to) => {
    expect(faultOf(from, to)).not.toBeNull();
  });
});

it('the server needs no package of the front end', () => {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const ofFrontEnd = ['lit', 'vite', 'socket.io-client', 'openapi-typescript', 'openapi-fetch', 'axe-core'];
  expect(ofFrontEnd.filter((name) => name in dependencies)).toEqual([]);
});
