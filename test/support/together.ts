import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openHandles, requireNoLeak } from './open-handles.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const load = createRequire(import.meta.url);

declare global {
  /** Spec files that have their own modules, set by jest.together.config.mjs. */
  var aloneSpecs: readonly string[];
}

/**
 * Runs several spec files as one test file: they load the application's modules once, which takes seconds, instead of
 * once each. As in their own files, their hooks apply only to them, their mocks end with them, and each fails if it
 * leaves something open.
 * @param paths spec files and folders of spec files, from the root of the repository.
 */
export function runTogether(...paths: string[]): void {
  for (const path of specsOf(paths)) {
    if (aloneSpecs.includes(path)) continue;
    // A spec file's tests come from loading it.
    describe(path, () => {
      let before = openHandles();
      beforeAll(() => {
        before = openHandles();
      });
      load(join(ROOT, path));
      afterAll(async () => {
        jest.useRealTimers();
        jest.restoreAllMocks();
        await requireNoLeak(before);
      });
    });
  }
}

/** The spec files of these paths, from the root of the repository. */
export function specsOf(paths: readonly string[]): string[] {
  return paths.flatMap((path) =>
    path.endsWith('.spec.ts')
      ? [path]
      : readdirSync(join(ROOT, path), { recursive: true, encoding: 'utf8' })
          .filter((file) => file.endsWith('.spec.ts'))
          .map((file) => `${path}/${file}`)
          .sort(),
  );
}
