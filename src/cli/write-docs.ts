import { readFile, writeFile } from 'node:fs/promises';
import { configurationPage, environmentExample } from '../platform/config/document.js';
import { withReference } from '../wording/tenant-templates/document.js';

/** Writes the generated pages: `npm run docs`. A test fails while a page differs from its source. */
const FILES = {
  '.env.example': environmentExample,
  'docs/configuration.md': configurationPage,
};

/** A page of which a part is generated. */
const TEMPLATES_PAGE = 'docs/templates.md';

for (const [path, text] of Object.entries(FILES)) await write(path, text());
await write(TEMPLATES_PAGE, withReference(await readFile(fileOf(TEMPLATES_PAGE), 'utf8')));

async function write(path: string, text: string): Promise<void> {
  await writeFile(fileOf(path), text);
  console.log(`wrote ${path}`);
}

function fileOf(path: string): URL {
  return new URL(`../../${path}`, import.meta.url);
}
