import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

it('R13: vigie --version prints the version of package.json', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const vigie = resolve('dist/cli/vigie.js');
  // Run from another folder: it is in the PATH of the image.
  const printed = spawnSync(process.execPath, [vigie, '--version'], { cwd: '/', encoding: 'utf8' });
  expect(printed).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: '' });
});

it('R13: vigie migrate says where and why it cannot reach PostgreSQL', () => {
  const environment = {
    PATH: process.env.PATH,
    JWT_SECRET: randomBytes(32).toString('base64'),
    DATABASE_URL: 'postgres://owner@localhost:1/vigie',
  };
  const ran = spawnSync(process.execPath, [resolve('dist/cli/vigie.js'), 'migrate'], {
    cwd: '/',
    env: environment,
    encoding: 'utf8',
  });
  expect(ran.status).toBe(1);
  expect(ran.stderr).toMatch(/^postgresql at localhost:1: .*connection refused.*Check DATABASE_URL/);
});

it('E13: a wrong option or an unknown command exits with 2, help with 0', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [resolve('dist/cli/vigie.js'), ...args], { cwd: '/', encoding: 'utf8' });
  expect(run('nonsense')).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("unknown command 'nonsense'") as string,
  });
  expect(run('queues', '--help')).toMatchObject({ status: 0, stderr: '' });
});
