import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';
import { Writable as NullWritable } from 'node:stream';

const MIN_LENGTH = 12;
const MAX_LENGTH = 200;
/** A password is a line; whatever is longer is something else, piped in by mistake. */
const MAX_INPUT = 4_096;

/** Where a password is read from: standard input and output. */
export interface Terminal {
  input: Readable & { isTTY?: boolean };
  output: Writable;
}

/**
 * Reads a new password: from a terminal it is asked for twice, without echo; otherwise it is the first line of the
 * input. Never an argument: those are in the list of processes and in the shell's history.
 * @throws Error in plain words when there is none, or it is too short or too long.
 */
export async function readNewPassword({ input, output }: Terminal): Promise<string> {
  const password = input.isTTY === true ? await askTwice({ input, output }) : await firstLine(input);
  const { length } = Array.from(password);
  if (length < MIN_LENGTH || length > MAX_LENGTH)
    throw new Error(`a password has ${MIN_LENGTH} to ${MAX_LENGTH} characters; this one has ${length}`);
  return password;
}

async function askTwice(terminal: Terminal): Promise<string> {
  const first = await ask(terminal, 'New password: ');
  const second = await ask(terminal, 'Again: ');
  if (first !== second) throw new Error('the two passwords are not the same');
  return first;
}

/** readline edits the line and puts the terminal into raw mode; what it would echo goes nowhere. */
async function ask({ input, output }: Terminal, prompt: string): Promise<string> {
  output.write(prompt);
  const nowhere = new NullWritable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      lines.once('SIGINT', () => reject(new Error('cancelled')));
      lines.once('close', () => reject(new Error('cancelled')));
    });
  } finally {
    lines.close();
    output.write('\n');
  }
}

async function firstLine(input: Readable): Promise<string> {
  let text = '';
  for await (const chunk of input) {
    text += String(chunk);
    if (text.length > MAX_INPUT || text.includes('\n')) break;
  }
  const line = text.split(/\r?\n/, 1)[0] ?? '';
  if (line === '') throw new Error('give the password as the first line of the standard input');
  return line;
}
