import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';
import { Writable as NullWritable } from 'node:stream';

const MIN_LENGTH = 12;
const MAX_LENGTH = 200;
/** A password is one line; longer input was piped in by mistake. */
const MAX_INPUT = 4_096;

/** The source of a password: standard input and output. */
export interface Terminal {
  input: Readable & { isTTY?: boolean };
  output: Writable;
}

/**
 * Reads a new password: a terminal asks for it twice, without echo; otherwise it is the first line of the input. Never
 * an argument: those are visible in the process list and the shell's history.
 * @throws Error in plain words if there is none, or it is too short or too long.
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

/** readline edits the line and sets the terminal to raw mode; its echo is discarded. */
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
