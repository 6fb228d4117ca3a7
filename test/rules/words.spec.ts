import ts from 'typescript';
import { LOCALES } from '../../src/contracts/locales.js';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesUnder, parse, productSources, ROOT, type SourceFile, walk } from './sources.js';

/** Files that may contain texts in people's languages, and why. */
const ALLOWED: Readonly<Record<string, string>> = {
  'src/cli/demo/sample-data.ts': 'sample data of the demo: what a French firm would have entered',
  'src/cli/demo/sample-night.ts': 'the same, of backups',
  'src/cli/demo/night.ts': 'what the demo sends and expects to receive',
  'src/wording/samples.ts': 'data that previews show: what people and programs would have entered',
  'src/imports/encodings.ts': 'tables of characters, for files of older systems',
  'src/imports/wrong-letters.ts': 'letters by which French is recognized in such files',
  'src/wording/sms/segments.ts': 'the alphabet of text messages',
  'src/platform/text/folded.sql.ts': 'the accents that searches ignore',
  'src/imports/import-route.ts': 'an example of a file in the API documentation',
  'src/backups/jobs/backup-jobs.controller.ts': 'the same',
};

/** Letters of languages other than English. Typographic quotes and dashes are English too. */
const FOREIGN_LETTER = /[\u00c0-\u024f]/;

it.each([
  ["const TITLE = 'Échéance demain';", 'says "Échéance demain"'],
  ["const SQL = `SELECT 'Échéance' || ${title}`;", 'says "SELECT \'Échéance\' || "'],
  ["const WORDS: Record<Locale, string> = { fr: 'Demain', en: 'Tomorrow' };", 'has texts by locale (fr, en)'],
  ["const WORDS = { fr: { late: 'Tard' }, en: { late: 'Late' } };", 'has texts by locale (fr, en)'],
  ["const SQL = `jsonb_build_object('fr', 'Demain', 'en', 'Tomorrow')`;", 'has texts by locale in SQL'],
])('finds %s', (text, fault) => {
  expect(faultsOf(parse('src/some/file.ts', text))).toEqual([`src/some/file.ts ${fault}`]);
});

it.each([
  '/** « lundi 3 novembre », é in a comment */ const x = 1;',
  "const names = ['fr', 'en'] as const;",
  'const byLocale = new Map<Locale, LocaleFiles>();',
  "const message = 'must be “one line”, not more…';",
])('does not mind %s', (text) => {
  expect(faultsOf(parse('src/some/file.ts', text))).toEqual([]);
});

it('finds no texts for people outside templates/', () => {
  const faults = productSources()
    .filter(({ path }) => !(path in ALLOWED))
    .flatMap(faultsOf);
  expect(faults).toEqual([]);
});

it('French typography: no ordinary space before a double mark in the words of the front end', () => {
  const faults = filesUnder('web/words').flatMap((path) => {
    const found: string[] = [];
    walk(parse(path, readFileSync(join(ROOT, path), 'utf8')).tree, (node) => {
      if (!ts.isStringLiteral(node) && !ts.isTemplateLiteralToken(node)) return;
      // The whole text with its ends: a part of a template may begin or end with the space.
      const written = node.getText();
      if (/ [:;?!»%]|« /.test(written)) found.push(`${path} ${written}`);
    });
    return found;
  });
  expect(faults).toEqual([]);
});

it('has no unneeded exceptions', () => {
  const needed = productSources()
    .filter((file) => faultsOf(file).length > 0)
    .map(({ path }) => path);
  expect(Object.keys(ALLOWED).filter((path) => !needed.includes(path))).toEqual([]);
});

function faultsOf({ path, tree }: SourceFile): string[] {
  const faults: string[] = [];
  walk(tree, (node) => {
    if (isText(node)) {
      if (FOREIGN_LETTER.test(node.text)) faults.push(`${path} says "${node.text}"`);
      if (LOCALES.every((locale) => node.text.includes(`'${locale}',`))) {
        faults.push(`${path} has texts by locale in SQL`);
      }
    }
    if (ts.isObjectLiteralExpression(node) && isByLocale(node)) {
      faults.push(`${path} has texts by locale (${LOCALES.join(', ')})`);
    }
  });
  return faults;
}

function isText(node: ts.Node): node is ts.LiteralLikeNode {
  return ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
}

function isByLocale({ properties }: ts.ObjectLiteralExpression): boolean {
  const names = properties.flatMap(({ name }) =>
    name !== undefined && ts.isIdentifier(name) ? [name.text] : [],
  );
  return LOCALES.every((locale) => names.includes(locale));
}
