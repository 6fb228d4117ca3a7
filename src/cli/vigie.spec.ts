import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

it('R13: vigie --version prints the version of package.json', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const vigie = resolve('dist/cli/vigie.js');
  // Run from another folder: it is in the PATH of the image.
  const printed = spawnSync(process.execPath, [vigie, '--version'], { cwd: '/', encoding: 'utf8' });
  expect(printed).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: '' });
});
