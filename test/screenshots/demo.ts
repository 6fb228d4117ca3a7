import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export interface Login {
  /** Null: the operator. */
  tenant: string | null;
  email: string;
  password: string;
}

/** A running demo, with its sample data. */
export interface RunningDemo {
  url: string;
  logins: readonly Login[];
  stop(): Promise<void>;
}

/** Starts `vigie demo` in a temporary folder. Resolves when it serves. @throws Error when it ends before that. */
export async function startDemo(): Promise<RunningDemo> {
  const folder = await mkdtemp(join(tmpdir(), 'vigie-screenshots-'));
  const child = spawn(
    process.execPath,
    [resolve('dist/cli/vigie.js'), 'demo', '--data', join(folder, 'demo')],
    {
      env: { PATH: process.env.PATH, HOME: process.env.HOME },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const output = await untilServing(child);
  return {
    url: /^API +(http:\S+)\/api\/v1$/m.exec(output)?.[1] ?? '',
    logins: readLogins(output),
    stop: async () => {
      const ended = new Promise((done) => child.once('close', done));
      child.kill('SIGINT');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function untilServing(child: ChildProcess): Promise<string> {
  return new Promise((serving, failed) => {
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('Serving until Ctrl-C')) serving(output);
    });
    child.once('close', () => failed(new Error(`the demo ended:\n${output}`)));
  });
}

/** The table at the end of its output: tenant, e-mail, password. */
function readLogins(output: string): Login[] {
  return [...output.matchAll(/^ {2}(\(operator\)|[\w-]+) +(\S+@\S+) +(\S+)$/gm)].map(
    ([, tenant = '', email = '', password = '']) => ({
      tenant: tenant === '(operator)' ? null : tenant,
      email,
      password,
    }),
  );
}
