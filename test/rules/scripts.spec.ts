import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { ROOT } from './sources.js';
import { createProgram } from '../../src/cli/program.js';

/** Programs that the scripts need on any machine. */
const PROGRAMS = [
  'bash',
  'cat',
  'dirname',
  'env',
  'find',
  'id',
  'mktemp',
  'mv',
  'node',
  'rm',
  'stat',
  'touch',
];

let checkout: string;
let bin: string;

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'vigie-scripts-'));
  bin = join(checkout, 'bin');
  mkdirSync(bin);
  cpSync(join(ROOT, 'scripts'), join(checkout, 'scripts'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(checkout, 'package.json'));
  for (const name of PROGRAMS) symlinkSync(find(name), join(bin, name));
  script('npm', 'echo "npm $*"; exit 1');
});
afterEach(() => rmSync(checkout, { recursive: true, force: true }));

function find(name: string): string {
  const folders = [join(process.execPath, '..'), ...(process.env.PATH ?? '').split(delimiter)];
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`${name} is not on this machine`);
  return found;
}

const script = (name: string, text: string) =>
  writeFileSync(join(bin, name), `#!${find('bash')}\n${text}\n`, { mode: 0o755 });

function run(name: string, args: readonly string[] = []) {
  const { status, stdout, stderr } = spawnSync(find('bash'), [join(checkout, 'scripts', name), ...args], {
    env: { PATH: bin },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('R13: the scripts', () => {
  it.each(['demo', 'try', 'test'])('R13: %s --help installs nothing', (name) => {
    for (const flag of ['--help', '-h']) {
      const { status, stdout, stderr } = run(name, [flag]);
      expect([status, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(new RegExp(`^Usage: scripts/${name}`));
      expect(stdout).not.toContain('==>');
    }
    expect(existsSync(join(checkout, 'node_modules'))).toBe(false);
  });

  it.each(['demo', 'try'])('C11: %s --help names every option of its command', (name) => {
    const command = createProgram().commands.find((each) => each.name() === name);
    const options = command?.options.flatMap(({ long }) => long ?? []) ?? [];
    expect(options.length).toBeGreaterThan(0);
    const { stdout } = run(name, ['--help']);
    expect(options.filter((option) => !stdout.includes(option))).toEqual([]);
  });

  it('R13: report what they cannot install before npm runs', () => {
    const { status, stdout, stderr } = run('demo');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: redis-server or valkey-server is required and cannot be installed/);
    expect(stdout).not.toContain('npm');
  });

  it('R13: with a Redis they run npm, and hide its warnings about Node.js', () => {
    script('redis-server', 'exit 0');
    script('useradd', 'exit 0');
    const { stdout } = run('demo');
    expect(stdout).toContain('npm ci --include=dev --include=optional --no-audit --no-fund --loglevel=error');
  });
});
