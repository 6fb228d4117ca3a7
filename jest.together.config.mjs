// What CI runs: the same tests as jest.config.mjs, but the spec files of a room share one test file, because most of
// the time of a small spec file went into loading the application's modules.
import config, { ALONE, BROWSER } from './jest.config.mjs';

export default {
  ...config,
  projects: config.projects.map((project) =>
    project.displayName !== 'product'
      ? project
      : {
          ...project,
          testMatch: ['<rootDir>/test/together/*.ts', ...ALONE],
          globals: { aloneSpecs: [...ALONE, ...BROWSER].map((path) => path.replace('<rootDir>/', '')) },
        },
  ),
};
