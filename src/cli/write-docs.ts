import { writeFile } from 'node:fs/promises';
import { configurationPage, environmentExample } from '../platform/config/document.js';

/** Writes what is made from the code: `npm run docs`. A test fails while a file and its source disagree. */
const FILES = {
  '.env.example': environmentExample,
  'docs/configuration.md': configurationPage,
};

for (const [path, text] of Object.entries(FILES)) {
  await writeFile(new URL(`../../${path}`, import.meta.url), text());
  console.log(`wrote ${path}`);
}
