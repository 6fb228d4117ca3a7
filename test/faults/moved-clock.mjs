// Loaded into a server process before its own code (NODE_OPTIONS --import): shifts its clock. The file MOVED_CLOCK_FILE
// has the instant to show (ms); MOVED_CLOCK_SKEW_MS is this process's offset. After each change of the file the clock
// continues at its normal pace. Timers are not changed.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { setInterval } from 'node:timers';

const { MOVED_CLOCK_FILE: file, MOVED_CLOCK_SKEW_MS: skew = '0' } = process.env;
const RealDate = Date;
let written = '';
let moved = 0;
const now = () => RealDate.now() + moved;

function look() {
  const text = readFileSync(file, 'utf8');
  if (text === written) return;
  written = text;
  moved = Number(text) + Number(skew) - RealDate.now();
}

globalThis.Date = new Proxy(RealDate, {
  apply: () => new RealDate(now()).toString(),
  construct: (target, parts, as) => Reflect.construct(target, parts.length === 0 ? [now()] : parts, as),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});

look();
setInterval(look, 20).unref();
