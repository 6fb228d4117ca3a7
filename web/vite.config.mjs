import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { defineConfig } from 'vite';

const ROOT = import.meta.dirname;
const OUT = join(ROOT, '../dist/web');
/** The server that the pages of `npm run web` talk to. */
const SERVER = process.env.VIGIE_URL ?? 'http://localhost:3000';

/**
 * The largest gzipped sizes, in bytes: what an entry loads at once, and what it loads on demand. The build fails above
 * them.
 */
const BARS = [
  { entry: 'inbox', loads: 'at once', max: 34_000 },
  { entry: 'inbox', loads: 'on demand', max: 6_000 },
  { entry: 'client', loads: 'at once', max: 20_000 },
  // With its page and style sheet: what a person waits for.
  { entry: 'console', loads: 'at once', max: 90_000 },
  { entry: 'push-worker', loads: 'at once', max: 6_000 },
];
/** Where the console is served from in development: the server has the same rule (src/front-end). */
const CONSOLE = 'console/index.html';

/** What each build begins with, by `--mode`. */
const ENTRIES = {
  production: { inbox: join(ROOT, 'inbox/vigie-inbox.ts') },
  client: { client: join(ROOT, 'client/vigie-client.ts') },
  console: { console: join(ROOT, CONSOLE) },
  worker: { 'push-worker': join(ROOT, 'push-worker/push-worker.ts') },
};

/**
 * Four builds: the inbox, and the client alone for pages with a bell of their own, are cached by pages of others and
 * share no file with the console, which changes more often. The service worker is one file with a stable name, because a
 * browser knows it by its address; not a module, which Firefox does not take before 147.
 */
export default defineConfig(({ mode }) => ({
  root: ROOT,
  base: './',
  publicDir: false,
  build: {
    outDir: OUT,
    emptyOutDir: mode === 'production',
    // Light-dismissed popovers and `:host` in constructed style sheets need no older browsers.
    target: 'es2023',
    modulePreload: false,
    sourcemap: false,
    rollupOptions: {
      input: ENTRIES[mode] ?? ENTRIES.production,
      // Pages import from the client; nothing imports from the others.
      preserveEntrySignatures: mode === 'client' ? 'strict' : false,
      // Named by their content, so that they may be cached forever.
      output: {
        ...(mode === 'worker' ? { format: 'iife' } : {}),
        entryFileNames: mode === 'worker' ? '[name].js' : 'assets/[name]-[hash].js',
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
  experimental: {
    // The console is served at addresses of any depth; scripts find their chunks beside themselves.
    renderBuiltUrl: (fileName, { hostType }) => (hostType === 'html' ? `/${fileName}` : { relative: true }),
  },
  server: {
    // words/ imports the server's words.
    fs: { allow: [ROOT, join(ROOT, '../templates'), join(ROOT, '../node_modules')] },
    proxy: Object.fromEntries(
      ['/api', '/password', '/docs', '/openapi.json', '/ops', '/socket.io', '/push-worker.js'].map((path) => [
        path,
        { target: SERVER, ws: path === '/socket.io' },
      ]),
    ),
  },
  plugins: [
    webSocketOnly(),
    plainImports(),
    shortStyles(),
    shortTemplates(),
    tokens(),
    servedPages(),
    mode === 'console' && consolePages(),
    (mode === 'production' || mode === 'client') && stableNames(),
    sizes(),
  ],
}));

/** Puts the design's tokens, which shadow trees share as scripts, into the console's style sheet. */
function tokens() {
  const file = join(ROOT, 'design/tokens.ts');
  return {
    name: 'tokens',
    enforce: 'pre',
    transform(code, id) {
      // In development with a query: console.css?direct.
      if (!id.split('?', 1)[0].endsWith('console/console.css')) return null;
      this.addWatchFile(file);
      const [, rules] = /tokens = css`([^`]*)`/.exec(readFileSync(file, 'utf8')) ?? [];
      if (rules === undefined) throw new Error(`${file} has no tokens`);
      return { code: code.replace('@tokens;', rules.replace(':host', ':root')), map: null };
    },
  };
}

/** Writes the addresses of the console's pages into a file for the server: a page is added in one place. */
function consolePages() {
  return {
    name: 'console-pages',
    apply: 'build',
    generateBundle() {
      const source = readFileSync(join(ROOT, 'console/pages.ts'), 'utf8');
      const paths = [...source.matchAll(/^ {4}path: '([^']+)'/gm)].map(([, path]) => path);
      if (paths.length === 0) throw new Error('console/pages.ts has no paths');
      this.emitFile({ type: 'asset', fileName: 'console/pages.json', source: JSON.stringify(paths) });
    },
  };
}

/** Serves the console at each of its addresses in development; the inbox alone is at /inbox.html. */
function servedPages() {
  return {
    name: 'served-pages',
    apply: 'serve',
    configureServer({ middlewares }) {
      middlewares.use((request, _response, next) => {
        const isPage = request.headers.accept?.includes('text/html') === true;
        const [path] = (request.url ?? '').split('?', 1);
        const isProxied = /^\/(api|password|docs|openapi\.json|ops|socket\.io|@)/.test(path);
        if (isPage && !isProxied && !/\.\w+$/.test(path)) request.url = `/${CONSOLE}`;
        next();
      });
    },
  };
}

/** Leaves the other transports of Engine.IO out: the server has none of them. */
function webSocketOnly() {
  const NONE = '\0no-transport';
  return {
    name: 'web-socket-only',
    enforce: 'pre',
    resolveId(id, importer) {
      const isTransport = /\/(polling-(xhr|fetch)(\.node)?|webtransport)\.js$/.test(id);
      return isTransport && importer?.includes('engine.io-client') === true ? NONE : null;
    },
    load: (id) => (id === NONE ? 'export const [XHR, Fetch, WT] = [];' : null),
  };
}

/** Leaves out Vite's preloading of what a chunk imports: no chunk of ours has style sheets or imports worth it. */
function plainImports() {
  return {
    name: 'plain-imports',
    enforce: 'pre',
    apply: 'build',
    load: (id) =>
      id === '\0vite/preload-helper.js' ? 'export const __vitePreload = (load) => load();' : null,
  };
}

/** Removes the spaces and comments of constructed style sheets, which no minifier of scripts touches. */
function shortStyles() {
  const shorten = (text) =>
    text
      .replace(/\/\*[^]*?\*\//g, '')
      .replace(/\s+/g, ' ')
      .replace(/ ?([{};,]) ?/g, '$1')
      .replace(/(?<=[\w-]): /g, ':')
      .replaceAll(';}', '}');
  return {
    name: 'short-styles',
    enforce: 'pre',
    apply: 'build',
    transform: (code, id) =>
      id.startsWith(ROOT) ? { code: code.replace(/css`[^`]*`/g, (text) => shorten(text)), map: null } : null,
  };
}

/** Makes each run of spaces in a template of Lit one space, which shows the same. */
function shortTemplates() {
  return {
    name: 'short-templates',
    enforce: 'post',
    apply: 'build',
    transform(code, id) {
      if (!id.startsWith(ROOT) || !code.includes('html`')) return null;
      const texts = [];
      walk(this.parse(code), ({ type, tag, quasi }) => {
        if (type === 'TaggedTemplateExpression' && tag.name === 'html') texts.push(...quasi.quasis);
      });
      texts.sort((one, other) => other.start - one.start);
      const shorten = (text, { start, end }) =>
        text.slice(0, start) + text.slice(start, end).replace(/\s+/g, ' ') + text.slice(end);
      return { code: texts.reduce(shorten, code), map: null };
    },
  };
}

function walk(node, visit) {
  if (typeof node?.type === 'string') visit(node);
  for (const child of Object.values(node))
    if (typeof child === 'object' && child !== null) walk(child, visit);
}

/**
 * Writes a file with a stable name for each entry, which imports it by its hashed name. Under Node (server-side
 * rendering) importing the inbox does nothing.
 */
function stableNames() {
  return {
    name: 'stable-names',
    apply: 'build',
    generateBundle(_options, bundle) {
      for (const { name, fileName } of entriesOf(bundle)) {
        const source =
          name === 'client'
            ? `export * from './${fileName}';\n`
            : `if (typeof document !== 'undefined') await import('./${fileName}');\n`;
        this.emitFile({ type: 'asset', fileName: `${name}.js`, source });
      }
    },
  };
}

function entriesOf(bundle) {
  return Object.values(bundle).filter(({ isEntry }) => isEntry === true);
}

/** Prints the gzipped size of each entry, as the server sends it, and fails the build where one exceeds its bar. */
function sizes() {
  return {
    name: 'sizes',
    apply: 'build',
    writeBundle(_options, bundle) {
      const built = entriesOf(bundle).map(({ name }) => name);
      const faults = BARS.filter(({ entry }) => built.includes(entry)).flatMap(({ entry, loads, max }) => {
        const size = sizeOf(bundle, entry, loads);
        console.log(`${entry}, ${loads}: ${size} bytes gzipped (at most ${max})`);
        return size > max ? [`${entry} loads ${size} bytes ${loads}, more than ${max}`] : [];
      });
      if (faults.length > 0) throw new Error(faults.join('\n'));
    },
  };
}

function sizeOf(bundle, entry, loads) {
  const { fileName } = entriesOf(bundle).find(({ name }) => name === entry);
  const first = new Set(entry === 'console' ? [CONSOLE, fileName] : [`${entry}.js`, fileName]);
  for (const file of first) {
    const { imports = [], viteMetadata } = bundle[file];
    for (const other of [...imports, ...(viteMetadata?.importedCss ?? [])]) first.add(other);
  }
  const later = bundle[fileName].dynamicImports.filter((file) => !first.has(file));
  const files = loads === 'at once' ? [...first] : later;
  return files.reduce((sum, file) => sum + gzipSync(readFileSync(join(OUT, file)), { level: 9 }).length, 0);
}
