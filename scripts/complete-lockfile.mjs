#!/usr/bin/env node
// npm omits from package-lock.json the platform packages that it could not find (a mirror may lag behind), and `npm ci`
// then refuses the whole file. This adds them, by name and exact version, with the platform in their name, so that they
// are skipped elsewhere. Run it after `npm install`.
import { readFileSync, writeFileSync } from 'node:fs';

const OS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'openharmony', 'sunos', 'win32'];
const CPU = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const { packages } = lock;

/** The lockfile's entry that Node would load as `name` from the package at `path`, or undefined. */
function resolved(path, name) {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const entry = packages[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`];
    if (entry !== undefined) return entry;
    if (folder === '' || !folder.includes('node_modules')) return undefined;
    if (!folder.includes('/node_modules/')) folder = '/node_modules/';
  }
}

const added = [];
for (const [path, { optionalDependencies = {} }] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const words = name.split(/[-/]/);
    const [os, cpu] = [OS.find((one) => words.includes(one)), CPU.find((one) => words.includes(one))];
    if (os === undefined || cpu === undefined || !/^\d/.test(version)) continue;
    if (resolved(path, name)?.version === version) continue;
    const root = `node_modules/${name}`;
    const place = packages[root] === undefined ? root : `${path}/${root}`;
    packages[place] = { version, cpu: [cpu], optional: true, os: [os] };
    added.push(`${place} ${version}`);
  }
}

lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`);
console.log(added.length === 0 ? 'Nothing was missing.' : `Added:\n  ${added.join('\n  ')}`);
