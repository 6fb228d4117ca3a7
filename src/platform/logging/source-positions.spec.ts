import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** In a process of the build: the tests run the sources. */
const PROGRAM = `
  import { url } from './dist/platform/config/variables.js';
  import { withSourcePositions } from './dist/platform/logging/source-positions.js';
  try {
    url('http').check('nothing');
  } catch (error) {
    console.log(withSourcePositions(error.stack));
  }
  const other = 'at file:///elsewhere/dist/app.js:1:2, at ' + import.meta.resolve('./dist/no-such-file.js') + ':1:2';
  console.log(withSourcePositions(other));
`;

it('a logged stack trace names the line of the source, where the build has its map', () => {
  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
    encoding: 'utf8',
  });
  const [, line] = /src\/platform\/config\/variables\.ts:(\d+):\d+/.exec(printed) ?? [];
  const source = readFileSync('src/platform/config/variables.ts', 'utf8').split('\n');
  expect(source[Number(line) - 1]).toContain('throw new Error(`must be a URL that begins with');
  expect(printed).toContain('at file:///elsewhere/dist/app.js:1:2, at file://');
  expect(printed).toContain('/dist/no-such-file.js:1:2');
});
