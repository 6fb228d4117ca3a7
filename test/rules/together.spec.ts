import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { specsOf } from '../support/together.js';
import { filesUnder, ROOT } from './sources.js';

// CI runs the files of test/together instead of spec files: a spec file that none of them names would not run there.
it('every spec file runs exactly once in CI: with those of its room, or alone', () => {
  const config = read('jest.config.mjs');
  const named = pathsIn(config, /'<rootDir>\/([^']+(?:\.spec\.ts|\/))'/g);
  const browser = pathsIn(/BROWSER = \[([^\]]*)\]/.exec(config)![1]!, /'<rootDir>\/([^']+)'/g);
  const all = [...filesUnder('src'), ...filesUnder('test')].filter((file) => file.endsWith('.spec.ts'));
  const runs = Object.fromEntries(all.map((file) => [file, 0]));
  for (const group of filesUnder('test/together')) {
    const isOfBrowser = group.startsWith('test/together/browser/');
    for (const file of specsOf(pathsIn(read(group), /'((?:src|test)\/[^']+)'/g)))
      if (isOfBrowser ? browser.includes(file) : !isNamed(file)) runs[file]! += 1;
  }
  for (const file of all) if (isNamed(file) && !browser.includes(file)) runs[file]! += 1;
  expect(Object.entries(runs).filter(([, times]) => times !== 1)).toEqual([]);

  function isNamed(file: string): boolean {
    return named.some((path) => (path.endsWith('/') ? file.startsWith(path) : file === path));
  }
});

/** What the first group of the pattern matches. */
function pathsIn(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, path = '']) => path);
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}
