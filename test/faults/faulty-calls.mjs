// Loaded into a worker before its own code (NODE_OPTIONS --import): counts the steps of a scan, and at one of them
// kills the process or makes the call fail. A step is a file system call below one of FAULTY_CALLS_BELOW (separated by
// colons), or a statement about backups. FAULTY_CALLS_FILE has the fault, as JSON {step, act}: `before` and `after`
// kill, an error code (ENOSPC) makes the call fail. Counting restarts at 1 whenever the file changes. Each step is
// written to FAULTY_CALLS_FILE.steps, as a line of JSON {call, path}.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import process from 'node:process';

const { FAULTY_CALLS_FILE: file, FAULTY_CALLS_BELOW: below = '' } = process.env;
const roots = below.split(':');

let read = '';
let plan = { step: 0, act: '' };
let steps = 0;

function next(call, path) {
  const text = readFileSync(file, 'utf8');
  if (text !== read) {
    read = text;
    plan = JSON.parse(text);
    steps = 0;
    writeFileSync(`${file}.steps`, '');
  }
  steps += 1;
  appendFileSync(`${file}.steps`, `${JSON.stringify({ call, path })}\n`);
  return steps === plan.step ? plan.act : '';
}

function die() {
  process.kill(process.pid, 'SIGKILL');
  for (;;);
}

function failure(code, syscall, path) {
  const error = new Error(`${code}: injected, ${syscall} '${path}'`);
  return Object.assign(error, { code, errno: -constants.errno[code], syscall, path });
}

async function step(call, syscall, path, perform) {
  const act = next(call, path);
  if (act === 'before') die();
  if (act !== '' && act !== 'after') {
    // A file is closed even if closing it fails.
    if (call === 'close') await perform();
    throw failure(act, syscall, path);
  }
  try {
    return await perform();
  } finally {
    if (act === 'after') die();
  }
}

const paths = new WeakMap();

const CALLS = {
  copyFile: 'copyfile',
  link: 'link',
  lstat: 'lstat',
  mkdir: 'mkdir',
  open: 'open',
  opendir: 'opendir',
  readdir: 'scandir',
  realpath: 'realpath',
  rename: 'rename',
  statfs: 'statfs',
  unlink: 'unlink',
  writeFile: 'open',
};
for (const [call, syscall] of Object.entries(CALLS)) {
  const real = fs[call];
  fs[call] = async (path, ...rest) => {
    if (!roots.some((root) => String(path).startsWith(root))) return real(path, ...rest);
    const result = await step(call, syscall, String(path), () => real(path, ...rest));
    if (call === 'open') paths.set(result, String(path));
    return result;
  };
}
syncBuiltinESMExports();

const ON_HANDLES = {
  close: 'close',
  datasync: 'fdatasync',
  read: 'read',
  stat: 'fstat',
  sync: 'fsync',
  write: 'write',
};
const some = await fs.open(file, 'r');
const handles = Object.getPrototypeOf(some);
await some.close();
for (const [call, syscall] of Object.entries(ON_HANDLES)) {
  const real = handles[call];
  handles[call] = function (...given) {
    const path = paths.get(this);
    if (path === undefined) return real.apply(this, given);
    return step(call, syscall, path, () => real.apply(this, given));
  };
}

const { Client } = createRequire(resolve('package.json'))('pg');
const query = Client.prototype.query;
Client.prototype.query = function (...given) {
  const text = String(given[0]?.text ?? given[0]);
  if (!/\bbackup_(jobs|reports|entries)\b/.test(text)) return query.apply(this, given);
  const act = next('sql', text.trim().replace(/\s+/g, ' ').slice(0, 60));
  if (act === 'before') die();
  const answered = query.apply(this, given);
  // Before the caller gets the answer and sends its COMMIT; a COMMIT sent together with it is executed.
  if (act === 'after') void answered.then(die, die);
  return answered;
};
