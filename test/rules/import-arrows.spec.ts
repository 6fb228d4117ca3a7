import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { arrowFault } from './arrows.js';
import { allSources, filesUnder, isTestFile, parse, productSources, ROOT } from './sources.js';

describe('imports between rooms', () => {
  it('follow ARCHITECTURE.md', () => {
    const faults = productSources().flatMap(({ path, imports }) => imports.map((to) => arrowFault(path, to)));
    expect(faults.filter((fault) => fault !== null)).toEqual([]);
  });

  it.each([
    ['src/contracts/jobs.ts', 'src/platform/clock/clock.ts'],
    ['src/platform/http/http.module.ts', 'src/auth/auth.module.ts'],
    ['src/tenants/a.ts', 'src/users/a.ts'],
    ['src/users/a.ts', 'src/auth/a.ts'],
    ['src/users/a.ts', 'src/auth/auth.module.ts'],
    ['src/delivery/a.ts', 'src/notifications/a.ts'],
    ['src/delivery/channels/email/a.ts', 'src/delivery/channels/sms/a.ts'],
    ['src/notifications/a.ts', 'src/delivery/sending/leases.ts'],
    ['src/notifications/a.ts', 'src/deadlines/deadlines.service.ts'],
    ['src/deadlines/a.ts', 'src/tasks/tasks.service.ts'],
    ['src/deadlines/a.ts', 'src/delivery/outbox.ts'],
    ['src/tasks/a.ts', 'src/users/user.entity.ts'],
    ['src/ops/a.ts', 'src/users/user.entity.ts'],
    ['src/scheduler/a.ts', 'src/notifications/notifications.service.ts'],
    ['src/scheduler/a.ts', 'src/users/users.service.ts'],
    ['src/digest/a.ts', 'src/delivery/outbox.ts'],
    ['src/realtime/a.ts', 'src/deadlines/deadlines.service.ts'],
    ['src/ops/a.ts', 'src/realtime/realtime.module.ts'],
    ['src/notifications/a.ts', 'src/realtime/gateway.ts'],
    ['src/scheduler/a.ts', 'src/ops/scheduler/triggers.service.ts'],
    ['src/ops/a.ts', 'src/cli/vigie.ts'],
    ['src/tasks/a.ts', 'src/app.module.ts'],
    ['src/tasks/a.ts', 'test/support/world.ts'],
    ['src/garage/a.ts', 'src/contracts/jobs.ts'],
  ])('do not go from %s to %s', (from, to) => {
    expect(arrowFault(from, to)).not.toBeNull();
  });

  it.each([
    ['src/notifications/a.ts', 'src/delivery/outbox.ts'],
    ['src/users/a.ts', 'src/platform/http/caller.ts'],
    ['src/deadlines/a.ts', 'src/notifications/alerts/watched.ts'],
    ['src/deadlines/deadlines.module.ts', 'src/deadlines/deadline.entity.ts'],
    ['src/delivery/channels/email/a.ts', 'src/delivery/channels/sender.ts'],
    ['src/app.module.ts', 'src/ops/ops.module.ts'],
    ['src/digest/a.ts', 'src/runs/run-handlers.ts'],
    ['src/scheduler/a.ts', 'src/runs/run-ledger.ts'],
    ['src/cli/vigie.ts', 'src/main.ts'],
    ['src/ops/a.ts', 'src/scheduler/scheduler.service.ts'],
  ])('may go from %s to %s', (from, to) => {
    expect(arrowFault(from, to)).toBeNull();
  });

  it('are found in every syntax', () => {
    const { imports } = parse(
      'src/a/a.ts',
      `import x from '../b/1.js'; import type { T } from '../b/2.js'; export * from '../b/3.js';
       const y = import('../b/4.js'); type U = import('../b/5.js').U; import '../b/6.js'; // import '../b/7.js'`,
    );
    expect([...imports].sort()).toEqual([1, 2, 3, 4, 5, 6].map((n) => `src/b/${n}.ts`));
  });

  it('lead to files that exist', () => {
    const missing = allSources().flatMap(({ path, imports }) =>
      imports.filter((to) => !existsSync(join(ROOT, to))).map((to) => `${path} imports ${to}`),
    );
    expect(missing).toEqual([]);
  });

  it('never lead from product code to its tests', () => {
    const faults = productSources().flatMap(({ path, imports }) =>
      imports.filter(isTestFile).map((to) => `${path} imports ${to}`),
    );
    expect(faults).toEqual([]);
  });

  it('have no cycles of modules', () => {
    const faults = productSources().flatMap(({ path, imported }) =>
      imported.filter(({ name }) => name === 'forwardRef').map(() => path),
    );
    expect(faults).toEqual([]);
  });
});

describe('the folders of src', () => {
  it('are in the tree of ARCHITECTURE.md', () => {
    const page = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
    const rooms = new Set(filesUnder('src').flatMap((path) => /^src\/([^/]+)\//.exec(path)?.[1] ?? []));
    const inPlatform = new Set(
      filesUnder('src/platform').flatMap((path) => /^src\/platform\/([^/]+)\//.exec(path)?.[1] ?? []),
    );
    expect([...rooms].filter((room) => !new RegExp(`^  (.* )?${room}/`, 'm').test(page))).toEqual([]);
    expect([...inPlatform].filter((folder) => !page.includes(`    ${folder}/ `))).toEqual([]);
  });

  it('are named after their subjects', () => {
    const folders = new Set(filesUnder('src').map((path) => dirname(path)));
    const names = ['utils', 'util', 'types', 'common', 'helpers', 'shared', 'lib', 'misc', 'core'];
    expect([...folders].filter((folder) => names.includes(basename(folder)))).toEqual([]);
  });

  it('H10: have at most 40 files each', () => {
    const counts = new Map<string, number>();
    for (const path of filesUnder('src')) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
    expect([...counts].filter(([, files]) => files > 40)).toEqual([]);
  });

  it('have no barrels', () => {
    expect(filesUnder('src').filter((path) => basename(path) === 'index.ts')).toEqual([]);
  });
});
