import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { specsOf } from '../support/together.js';
import { filesUnder, ROOT } from './sources.js';

// CI runs the files of test/together instead of spec files: a spec file that none of them names would not run there.
it('every spec file runs exactly once in CI: with those of its room, or alone', () => {
  const together = filesUnder('test/together').flatMap((file) =>
    specsOf([...read(file).matchAll(/'((?:src|test)\/[^']+)'/g)].map(([, path = '']) => path)),
  );
  const config = read('jest.config.mjs');
  const named = [...config.matchAll(/'<rootDir>\/([^']+(?:\.spec\.ts|\/))'/g)].map(([, path = '']) => path);
  const all = [...filesUnder('src'), ...filesUnder('test')].filter((file) => file.endsWith('.spec.ts'));
  const runs = Object.fromEntries(all.map((file) => [file, 0]));
  for (const file of together) if (!isNamed(file)) runs[file]! += 1;
  for (const file of all) if (isNamed(file)) runs[file]! += 1;
  expect(Object.entries(runs).filter(([, times]) => times !== 1)).toEqual([]);

  function isNamed(file: string): boolean {
    return named.some((path) => (path.endsWith('/') ? file.startsWith(path) : file === path));
  }
});

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}
