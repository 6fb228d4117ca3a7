import { execFileSync, spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Random } from '../../../test/faults/random.js';

/** A file name in a report, and what the agent's folder has under that name. */
export interface HostileName {
  name: string;
  /** Creates it on the disk; absent if the file does not exist. */
  make?: (folder: string) => void;
  /** The verdict and its reason. */
  ends: string;
}

/** What every staged file holds. */
export const CONTENT = 'the ledger';

const UNSAFE = 'FAILED unsafe_name';
const LINK = 'FAILED symbolic_link';
const NO_FILE = 'FAILED not_a_file';
const ABSENT = 'MISSING no_staged_file';
const STORED = 'SUCCESS null';

const file = (name: string) => (folder: string) => writeFileSync(join(folder, name), CONTENT);
const named = (ends: string, names: readonly string[]): HostileName[] =>
  names.map((name) => ({ name, ends }));
const there = (...names: string[]): HostileName[] =>
  names.map((name) => ({ name, make: file(name), ends: STORED }));
const kind = (name: string, ends: string, make: (path: string, folder: string) => void): HostileName => ({
  name,
  ends,
  make: (folder) => make(join(folder, name), folder),
});
/** Created by a killed process: a process that exits normally removes its socket. */
const leaveSocket = (path: string) =>
  spawnSync(process.execPath, [
    '-e',
    `process.chdir(process.argv[1]);
     require('node:net').createServer().listen(process.argv[2], () => process.kill(process.pid, 'SIGKILL'))`,
    dirname(path),
    basename(path),
  ]);

/** @param outside a file outside of the inbox and the store */
function chosen(outside: string): HostileName[] {
  const up = '../'.repeat(12);
  return [
    ...named(UNSAFE, [
      '.',
      '..',
      '/',
      '\\',
      './x',
      '../x',
      '..\\x',
      'x/',
      'x/..',
      'a/../../x',
      '/etc/passwd',
      '//x',
    ]),
    ...named(UNSAFE, [
      `${up}etc/passwd`,
      outside,
      `${up}${outside}`,
      'C:\\Windows\\x',
      '\\\\server\\share\\x',
      'a\\..\\b',
    ]),
    ...named(UNSAFE, [
      '../database/x.bak',
      'x.bak/../x.bak',
      '../../other/database/paie.bak',
      '~/../x',
      'x'.repeat(256),
    ]),
    ...named(UNSAFE, ['é'.repeat(128), '🙂'.repeat(64), 'x'.repeat(900)]),
    ...named(ABSENT, [
      '%2e%2e%2fx',
      '..%2fx',
      '%00',
      '．．／x',
      '...',
      '..;',
      '.bak',
      '.hidden',
      ' .',
      'nobody.bak',
    ]),
    ...named(ABSENT, ['\u2024\u2024', '\u2215etc', 'x'.repeat(255), 'é'.repeat(127)]),
    ...['x.part', 'x.PART', 'x.tmp', 'x.filepart', 'x.partial', '.x.part', '.x'].map((name) => ({
      name,
      make: file(name),
      ends: ABSENT,
    })),
    ...there(
      '-rf',
      '--',
      '--help',
      ' ',
      ' x',
      'x ',
      'x.',
      'x..',
      'CON',
      'nul',
      'aux.bak',
      'LPT1',
      'COM1.bak',
      '~',
      '~root',
    ),
    ...there(
      'a:b',
      'a*b?',
      'a"b',
      "a'b",
      '$(reboot)',
      '`id`',
      'a|b',
      'a;b',
      'a&b',
      '<x>',
      '{x}',
      '%',
      '%2e%2e',
      '#',
      '!',
    ),
    ...there(
      '\u0001.bak',
      'a\nb',
      'a\tb',
      '\u007f',
      '\u009b31m',
      '\u202egnp.bak',
      '\u200fx',
      '\u200d',
      '\ufeffx',
      '\u2028',
    ),
    ...there(
      '🙂.bak',
      '👩‍👩‍👧‍👦',
      '𝕏',
      'ﬁ',
      'İstanbul',
      'ß',
      '数据库.bak',
      'база.bak',
      'قاعدة.bak',
      'a'.repeat(255),
      '🙂'.repeat(63),
    ),
    ...there(
      'x.tar.gz',
      'x.sql.gz.gpg',
      'x.part.bak',
      'part',
      'x.bak~',
      'STATUS.json',
      'x_STATUS.json',
      'x.reason',
      '__proto__',
    ),
    { name: 'é1.bak', make: file('e\u03011.bak'), ends: STORED },
    { name: 'e\u03012.bak', make: file('é2.bak'), ends: STORED },
    { name: 'Å3.bak', make: file('A\u030a3.bak'), ends: STORED },
    { name: '가4.bak', make: file('\u1100\u11614.bak'), ends: STORED },
    kind('inside.link', LINK, (path) => symlinkSync('nobody.bak', path)),
    kind('outside.link', LINK, (path) => symlinkSync(outside, path)),
    kind('upwards.link', LINK, (path) => symlinkSync('../log', path)),
    kind('itself.link', LINK, (path) => symlinkSync('itself.link', path)),
    kind('zero.link', LINK, (path) => symlinkSync('/dev/zero', path)),
    kind('nowhere.link', LINK, (path) => symlinkSync('/nowhere/at/all', path)),
    kind('chain.link', LINK, (path) => symlinkSync('outside.link', path)),
    kind('folder', NO_FILE, (path) => mkdirSync(path)),
    kind('folder.bak', NO_FILE, (path) => {
      mkdirSync(path);
      writeFileSync(join(path, 'x'), CONTENT);
    }),
    kind('fifo.bak', NO_FILE, (path) => execFileSync('mkfifo', [path])),
    kind('socket.bak', NO_FILE, leaveSocket),
    // It is a regular file of the folder: only this name of it is removed.
    kind('hard.bak', STORED, (path) => linkSync(join(dirname(outside), 'linked'), path)),
  ];
}

const PARTS = [
  '..',
  '.',
  '/',
  '\\',
  '-',
  ' ',
  '%2e',
  'é',
  'e\u0301',
  '\u202e',
  '🙂',
  '\u0001',
  'CON',
  '.part',
  'a',
  '~',
  ':',
  '*',
  '\n',
];

/** Generates that many names, distinct even if the file system normalizes accents. */
export function hostileNames(random: Random, count: number, outside: string): HostileName[] {
  const found = chosen(outside);
  const seen = new Set(found.map(({ name }) => name.normalize('NFC')));
  while (found.length < count) {
    const parts = Array.from(
      { length: random.between(2, 6) },
      () => PARTS[random.between(0, PARTS.length - 1)]!,
    );
    const name = parts.join('');
    if (seen.has(name.normalize('NFC'))) continue;
    seen.add(name.normalize('NFC'));
    if (/[/\\]/.test(name) || name === '..') found.push({ name, ends: UNSAFE });
    else if (name.startsWith('.') || name.endsWith('.part'))
      found.push({ name, make: file(name), ends: ABSENT });
    else found.push(...there(name));
  }
  return found;
}
