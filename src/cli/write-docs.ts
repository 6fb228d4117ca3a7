import { writeFile } from 'node:fs/promises';
import { configurationPage, environmentExample } from '../platform/config/document.js';

/** Writes the generated pages: `npm run docs`. A test fails while a page differs from its source. */
const FILES = {
  '.env.example': environmentExample,
  'docs/configuration.md': configurationPage,
};

for (const [path, text] of Object.entries(FILES)) {
  await writeFile(new URL(`../../${path}`, import.meta.url), text());
  console.log(`wrote ${path}`);
}
