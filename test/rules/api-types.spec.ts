import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OpenAPIObject } from '@nestjs/swagger';
import { describeApi } from '../../src/docs.js';
import { createWorld, type World } from '../support/world.js';
import { ROOT } from './sources.js';

const FILE = 'web/client/api.d.ts';
const HEADER = '// Written by `npm run api-types` from /openapi.json.\n';

let world: World;
let folder: string;
beforeAll(async () => {
  world = await createWorld();
  folder = mkdtempSync(join(tmpdir(), 'vigie-api-types-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await world.close();
});

it(`H9: the front end's types are those of /openapi.json (else: npm run api-types)`, () => {
  const types = HEADER + typesOf(withoutErrors(describeApi(world.app)));
  if (process.env.WRITE_API_TYPES === 'true') writeFileSync(join(ROOT, FILE), types);
  // Not `toBe`: a difference of thousands of lines would be printed in full.
  expect(firstDifference(readFileSync(join(ROOT, FILE), 'utf8'), types)).toBeNull();
}, 60_000);

/** Every error is a `Problem`: repeated for each operation, it would fill nine tenths of the file. */
function withoutErrors({ paths, ...document }: OpenAPIObject): string {
  const isError = (status: string) =>
    status === 'default' || status.startsWith('4') || status.startsWith('5');
  return JSON.stringify({ ...document, paths }, (key, value: unknown) => {
    if (key === 'description' && typeof value === 'string') return undefined;
    if (key !== 'responses' || typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).filter(([status]) => !isError(status)));
  });
}

/** In a process of its own: the packages are ES modules only. */
function typesOf(document: string): string {
  const [source, output] = [join(folder, 'openapi.json'), join(folder, 'api.d.ts')];
  writeFileSync(source, document);
  execFileSync(join(ROOT, 'node_modules/.bin/openapi-typescript'), [source, '--output', output], {
    // No configuration file of the linter, and no questions about updates.
    cwd: folder,
    env: { ...process.env, REDOCLY_TELEMETRY: 'off', NO_COLOR: '1' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return readFileSync(output, 'utf8');
}

/** The first line that differs, or null. */
function firstDifference(one: string, other: string): { line: number; has: string; should: string } | null {
  const [left, right] = [one.split('\n'), other.split('\n')];
  const place = Array.from({ length: Math.max(left.length, right.length) }).findIndex(
    (_, line) => left[line] !== right[line],
  );
  return place < 0 ? null : { line: place + 1, has: left[place] ?? '', should: right[place] ?? '' };
}
