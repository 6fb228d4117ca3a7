import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The repository's root. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

export interface SourceFile {
  /** From the repository's root: `src/app.ts`. */
  path: string;
  text: string;
  tree: ts.SourceFile;
  /** Its imports, re-exports and loads within the repository, as paths like `src/app.ts`. */
  imports: readonly string[];
  /** Names imported from packages: `typeorm` → `DataSource`. */
  imported: readonly { from: string; name: string }[];
}

/** The paths of all files under a folder, from the repository's root. */
export function filesUnder(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort();
}

export function parse(path: string, text: string): SourceFile {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const imports: string[] = [];
  const imported: { from: string; name: string }[] = [];
  walk(tree, (node) => {
    const specifier = specifierOf(node);
    if (specifier === undefined) return;
    if (specifier.startsWith('.')) {
      imports.push(relative(ROOT, resolve(ROOT, dirname(path), specifier)).replace(/\.js$/, '.ts'));
    } else {
      for (const name of namesOf(node)) imported.push({ from: specifier, name });
    }
  });
  return { path, text, tree, imports, imported };
}

export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

let sources: SourceFile[] | undefined;

/** Every TypeScript file of `src`. */
export function allSources(): readonly SourceFile[] {
  sources ??= filesUnder('src')
    .filter((path) => path.endsWith('.ts'))
    .map((path) => parse(path, readFileSync(join(ROOT, path), 'utf8')));
  return sources;
}

/** Whether the file is only for tests, and not built. */
export function isTestFile(path: string): boolean {
  return /\.(spec|fixtures?)\.ts$/.test(path);
}

/** The files that are built. */
export function productSources(): readonly SourceFile[] {
  return allSources().filter(({ path }) => !isTestFile(path));
}

function specifierOf(node: ts.Node): string | undefined {
  const literal =
    ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
      ? node.moduleSpecifier
      : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
        ? node.argument.literal
        : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? node.arguments[0]
          : undefined;
  return literal !== undefined && ts.isStringLiteralLike(literal) ? literal.text : undefined;
}

function namesOf(node: ts.Node): string[] {
  if (!ts.isImportDeclaration(node) || node.importClause === undefined) return ['*'];
  const { name, namedBindings } = node.importClause;
  const named =
    namedBindings === undefined
      ? []
      : ts.isNamespaceImport(namedBindings)
        ? ['*']
        : namedBindings.elements.map((element) => (element.propertyName ?? element.name).text);
  return [...(name === undefined ? [] : ['default']), ...named];
}
