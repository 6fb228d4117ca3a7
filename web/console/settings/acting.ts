import type { ConsoleContext } from '../context.js';

/** Runs one act at a time, so that a double click acts once, and shows failures. */
export class Acting {
  private isBusy = false;

  constructor(private readonly onChange: () => void) {}

  get now(): boolean {
    return this.isBusy;
  }

  async run(context: ConsoleContext, act: () => Promise<void>): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    this.onChange();
    try {
      await act();
    } catch (error) {
      context.toast({ text: context.words.faultOf(error), tone: 'critical' });
    } finally {
      this.isBusy = false;
      this.onChange();
    }
  }
}
