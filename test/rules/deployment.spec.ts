import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../src/platform/config/config.js';
import { SCHEMA } from '../../src/platform/config/schema.js';
import { DEADLINES } from '../../src/platform/start/steps.js';
import { ROOT } from './sources.js';

const PAGE = readFileSync(join(ROOT, 'docs/deployment.md'), 'utf8');
const UNIT = /```ini\n([\s\S]*?)```/.exec(PAGE)![1]!;

describe('docs/deployment.md', () => {
  it('names existing settings', () => {
    const named = [...PAGE.matchAll(/\b(?:VIGIE|SMTP|DATABASE|REDIS|LOG|TRUST)_[A-Z_]+\b/g)].map(
      ([name]) => name,
    );
    const known = Object.values(SCHEMA).flatMap(({ env }) => [env]);
    // Those of docker-compose.yml, and the file that settings are read from.
    const others = ['VIGIE_PORT', 'VIGIE_BIND', 'VIGIE_ENV_FILE'];
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => ![...known, ...others].includes(name))).toEqual([]);
  });

  it('has the time limits of the start', () => {
    const ms = { s: 1_000, min: 60_000, h: 3_600_000 };
    const documented = [...PAGE.matchAll(/^\| `[a-z ]+` +\| (\d+) (s|min|h) +\|/gm)].map(
      ([, count, unit]) => Number(count) * ms[unit as keyof typeof ms],
    );
    expect(documented).toEqual(Object.values(DEADLINES));
  });

  it('has a unit that systemd accepts, with an environment that the server accepts', () => {
    const [, assignments = ''] = /^Environment=(.*)$/m.exec(UNIT) ?? [];
    const environment = Object.fromEntries(assignments.split(' ').map((each) => each.split('='))) as Record<
      string,
      string
    >;
    expect(readConfig(environment).dataDir).toBe('/var/lib/vigie');
    expect(existsSync(join(ROOT, 'src/main.ts')) && UNIT.includes('dist/main.js')).toBe(true);
    // The server exits after 20 s, whatever it is doing.
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(UNIT)?.[1])).toBeGreaterThan(20);
    if (spawnSync('systemd-analyze', ['--version']).status !== 0) return;
    const folder = mkdtempSync(join(tmpdir(), 'vigie-unit-'));
    try {
      // Only if this machine has the named paths.
      const here = UNIT.replace('/usr/bin/node', process.execPath).replace('User=vigie', 'User=nobody');
      writeFileSync(join(folder, 'vigie.service'), here);
      const said = execFileSync('systemd-analyze', ['verify', '--man=no', join(folder, 'vigie.service')], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      expect(said).toBe('');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
