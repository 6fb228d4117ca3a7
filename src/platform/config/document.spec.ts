import { readFileSync } from 'node:fs';
import { configurationPage, environmentExample } from './document.js';
import { SCHEMA } from './schema.js';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

describe('the documents made from the schema', () => {
  it.each([
    ['.env.example', environmentExample],
    ['docs/configuration.md', configurationPage],
  ])('include %s as `npm run docs` writes it', (path, text) => {
    expect(read(path)).toBe(text());
  });

  it('list every setting, its path in vigie.yml and its old names', () => {
    const page = configurationPage();
    const example = environmentExample();
    for (const { env, yaml, aliases } of Object.values(SCHEMA)) {
      for (const name of [env, yaml, ...aliases]) expect(page).toContain(`\`${name}\``);
      expect(example).toMatch(new RegExp(`^#${env}=`, 'm'));
    }
  });

  it('contain no value of a secret that could be copied by mistake', () => {
    for (const { env, secret, default: fallback } of Object.values(SCHEMA)) {
      if (secret) expect([env, fallback]).toEqual([env, null]);
    }
  });
});
