import { ApiError } from '../demo/api.js';
import { reasonOf } from './health.js';
import { type Ending, Failure } from './step.js';

const WIDTH = 12;

/** Prints the trial's results, and records whether all steps succeeded. */
export class TrialReport {
  private readonly failed: string[] = [];
  /** The steps that need an option, as "push (--push)". */
  private readonly untried: string[] = [];
  /** Every step and how it ended, for `--json`. */
  readonly steps: {
    step: string;
    state: 'ok' | 'skipped' | 'failed' | 'not_tried';
    message: string | null;
  }[] = [];
  private tried = 0;

  constructor(private readonly print: (line: string) => void) {}

  get ok(): boolean {
    return this.failed.length === 0;
  }

  /** Runs a step and prints its outcome. @returns whether it failed. */
  async step(name: string, work: () => Promise<Ending>): Promise<boolean> {
    this.tried += 1;
    try {
      const ending = await work();
      this.steps.push(
        'ok' in ending
          ? { step: name, state: 'ok', message: ending.ok }
          : { step: name, state: 'skipped', message: ending.skipped },
      );
      if ('ok' in ending) this.line('ok', name, ending.ok);
      else {
        this.line('skipped', name, ending.skipped);
        if (ending.option !== undefined) this.untried.push(`${name} (${ending.option})`);
      }
      return false;
    } catch (error) {
      const { message, advice } = explain(error);
      this.failed.push(name);
      this.steps.push({ step: name, state: 'failed', message: `${message} (${advice})` });
      this.line('FAILED', name, message);
      this.print(`${' '.repeat(10 + WIDTH)}  → ${advice}`);
      return true;
    }
  }

  notTried(name: string): void {
    this.steps.push({ step: name, state: 'not_tried', message: null });
    this.line('-', name, 'not tried');
  }

  verdict(): void {
    if (this.ok) this.print('\nNothing failed.');
    else this.print(`\n${this.failed.length} of ${this.tried} steps failed: ${this.failed.join(', ')}.`);
    if (this.untried.length > 0) this.print(`Not tried: ${this.untried.join(', ')}.`);
  }

  private line(how: string, name: string, said: string): void {
    this.print(`  ${how.padEnd(7)} ${name.padEnd(WIDTH)}  ${said}`);
  }
}

function explain(error: unknown): { message: string; advice: string } {
  if (error instanceof Failure) return { message: error.message, advice: error.advice };
  if (error instanceof ApiError) {
    return {
      message: error.message.slice(0, 500),
      advice:
        error.status === 403
          ? 'The API key lacks a scope: see docs/try.md.'
          : error.status === 404
            ? 'Is the server as new as this command?'
            : 'See the log of the server.',
    };
  }
  return { message: reasonOf(error), advice: 'Is the server still running? See its log.' };
}
