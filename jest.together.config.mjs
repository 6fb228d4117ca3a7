// What CI runs: the same tests as jest.config.mjs, but the spec files of a room share one test file, because most of
// the time of a small spec file went into loading the application's modules.
import config, { ALONE, BROWSER, GETTING_STARTED } from './jest.config.mjs';

const skipped = (...paths) => ({ aloneSpecs: paths.map((path) => path.replace('<rootDir>/', '')) });
const TOGETHER = {
  product: {
    testMatch: ['<rootDir>/test/together/*.ts', ...ALONE],
    globals: skipped(...ALONE, ...BROWSER),
  },
  browser: {
    testMatch: ['<rootDir>/test/together/browser/*.ts', GETTING_STARTED],
    globals: skipped(),
  },
};

export default {
  ...config,
  projects: config.projects.map((project) => ({ ...project, ...TOGETHER[project.displayName] })),
};
