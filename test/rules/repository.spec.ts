import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { parse, ROOT, walk } from './sources.js';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** The repository's files: tracked ones, and new ones that are not ignored. */
const FILES = execFileSync(
  'git',
  ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'],
  {
    cwd: ROOT,
    encoding: 'utf8',
  },
)
  .split('\0')
  .filter((path) => path !== '' && existsSync(join(ROOT, path)));

const isText = (path: string) =>
  /\.(ts|mjs|js|json|md|ya?ml|hbs|sh)$|^scripts\/|^\.ci\/|Dockerfile/.test(path);
const THIS = 'test/rules/repository.spec.ts';

/** The matching lines of the repository's texts, except the lockfile's and this file's. */
function lines(pattern: RegExp, only: (path: string) => boolean = isText): string[] {
  return FILES.filter((path) => only(path) && path !== 'package-lock.json' && path !== THIS).flatMap((path) =>
    read(path)
      .split('\n')
      .flatMap((line, number) => (pattern.test(line) ? [`${path}:${number + 1}`] : [])),
  );
}

const isTypeScript = (path: string) => path.endsWith('.ts');

describe('the sources', () => {
  it('have no TODOs', () => {
    expect(lines(/\b(TODO|FIXME|XXX|HACK)\b/)).toEqual([]);
  });

  it('do not silence the compiler or the linter', () => {
    expect(lines(/@ts-(ignore|expect-error|nocheck)/, isTypeScript)).toEqual([]);
    const untyped = FILES.filter(isTypeScript).filter((path) => {
      const kinds = new Set<ts.SyntaxKind>();
      walk(parse(path, read(path)).tree, ({ kind }) => kinds.add(kind));
      return kinds.has(ts.SyntaxKind.AnyKeyword);
    });
    expect(untyped).toEqual(['test/support/world.ts']);
    expect(lines(/eslint-disable|prettier-ignore/)).toEqual([
      // The body of a response in a test, which the test checks by reading it.
      expect.stringMatching(/^test\/support\/world\.ts:/),
    ]);
  });

  it('run every test', () => {
    expect(
      lines(/\b(describe|it|test)\.(only|skip|todo)\b|\bx(it|describe)\(|\bfit\(/, isTypeScript),
    ).toEqual([]);
  });

  it('contain no key and no password', () => {
    expect(
      lines(/-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bxox[bp]-|\bghp_\w{36}\b/),
    ).toEqual([]);
    expect(FILES.filter((path) => /(^|\/)\.env$|\.pem$|\.key$|secrets\.json$/.test(path))).toEqual([]);
  });

  it('end with a line feed, and have no carriage returns', () => {
    const texts = FILES.filter((path) => isText(path));
    expect(texts.filter((path) => !/(^|[^\r]\n)$/.test(read(path).slice(-2)))).toEqual([]);
    expect(texts.filter((path) => read(path).includes('\r\n'))).toEqual([]);
  });
});

describe('the README', () => {
  it('links to every page of docs', () => {
    const pages = FILES.filter((path) => /^docs\/[^/]+\.md$/.test(path));
    expect(pages.length).toBeGreaterThan(0);
    expect(pages.filter((path) => !read('README.md').includes(`](${path})`))).toEqual([]);
  });
});

describe('the scripts', () => {
  const entries = execFileSync('git', ['ls-files', '-s'], { cwd: ROOT, encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => {
      const [, mode, path] = /^(\d+) \w+ \d\t(.*)$/.exec(line) ?? [];
      return mode === undefined || path === undefined ? [] : [{ mode, path }];
    });

  it('are executable exactly if they have a shebang', () => {
    const scripts = entries.filter(({ path }) => /^(scripts|\.ci)\//.test(path));
    expect(scripts.length).toBeGreaterThan(0);
    for (const { mode, path } of scripts) {
      expect([path, mode]).toEqual([path, read(path).startsWith('#!') ? '100755' : '100644']);
    }
  });
});

interface Lock {
  packages: Record<
    string,
    {
      version?: string;
      resolved?: string;
      integrity?: string;
      link?: boolean;
      optional?: boolean;
      os?: string[];
      cpu?: string[];
    }
  >;
}

describe('the packages', () => {
  const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
  const { packages } = JSON.parse(read('package-lock.json')) as Lock;

  /** Packages that are installed but never loaded: the mailer's preview in a browser, which is off. */
  const never_loaded = /^node_modules\/(preview-email|mailparser)\//;

  /** The installed versions of a package, at any depth. */
  const versions = (name: string) =>
    Object.entries(packages).flatMap(([path, { version }]) => {
      const found = path === `node_modules/${name}` || path.endsWith(`/node_modules/${name}`);
      return found && version !== undefined && !never_loaded.test(path) ? [version] : [];
    });

  it('are pinned', () => {
    for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
      expect([name, version]).toEqual([name, expect.stringMatching(/^\d+\.\d+\.\d+(-[\w.]+)?$/)]);
      expect([name, packages[`node_modules/${name}`]?.version]).toEqual([name, version]);
    }
  });

  it('work with any registry: the lockfile has no address', () => {
    expect(Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
    // scripts/complete-lockfile.mjs adds other platforms' packages that the local registry did not have: they are
    // skipped here, and have no checksum to compare.
    const elsewhere = ({ optional, os, cpu }: Lock['packages'][string]) =>
      optional === true && !(os?.includes(process.platform) === true && cpu?.includes(process.arch) === true);
    const unverified = Object.entries(packages).filter(
      ([path, entry]) => path !== '' && entry.integrity === undefined && !elsewhere(entry),
    );
    expect(unverified.map(([path]) => path)).toEqual([]);
  });

  // `npm audit` does not work on every machine. These are the versions below which a vulnerability is known.
  it.each([
    ['handlebars', '4.7.10'],
    ['engine.io', '6.6.10'],
    ['socket.io-parser', '4.2.7'],
    ['ws', '8.21.0'],
    ['validator', '13.15.22'],
    ['typeorm', '1.1.0'],
    ['nodemailer', '10.6.0'],
    ['@nestjs/core', '12.0.2'],
  ])('%s is at least %s', (name, floor) => {
    const found = versions(name);
    expect(found.length).toBeGreaterThan(0);
    expect(found.filter((version) => compare(version, floor) < 0)).toEqual([]);
  });

  it('do not load the preview of mails', () => {
    expect(lines(/preview-email|mailparser|preview: true/, (path) => path.startsWith('src/'))).toEqual([]);
  });

  it.each(['socket.io', '@css-inline/css-inline', 'fast-uri'])('S8: have one version of %s', (name) => {
    expect(versions(name)).toHaveLength(1);
  });

  it('S8: send no telemetry', () => {
    expect(manifest.scarfSettings).toEqual({ enabled: false });
  });

  it.each([
    ['4.7.9', '4.7.10', -1],
    ['4.10.0', '4.9.9', 1],
    ['1.0.0', '1.0.0', 0],
    ['1.0.0-beta.1', '1.0.0', -1],
  ])('compares %s with %s', (one, other, sign) => {
    expect(Math.sign(compare(one, other))).toBe(sign);
  });
});

/** Negative if the first version is older. A pre-release is older than its release. */
function compare(one: string, other: string): number {
  const parts = (version: string) => (version.split('-')[0] ?? '').split('.').map(Number);
  const [left, right] = [parts(one), parts(other)];
  const first = [0, 1, 2].map((n) => (left[n] ?? 0) - (right[n] ?? 0)).find((difference) => difference !== 0);
  return first ?? Number(other.includes('-')) - Number(one.includes('-'));
}
