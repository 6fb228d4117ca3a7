import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';

type Start = () => void | Promise<void>;

/**
 * What a process does without being asked: it polls, dispatches, reaps, takes jobs and announces itself. All of it
 * begins once HTTP listens. A process that cannot start, because its port is taken, has then written nothing and taken
 * no work that it would lose at once.
 */
@Injectable()
export class BackgroundWork implements BeforeApplicationShutdown {
  private readonly starts: Start[] = [];
  private stopping = false;

  /** Registers what begins then. Call it while the application initialises. */
  onBegin(start: Start): void {
    this.starts.push(start);
  }

  /** Begins all of it, in the order of registration. Call it once, when HTTP listens. */
  async begin(): Promise<void> {
    for (const start of this.starts) {
      // The process was asked to stop while it started.
      if (this.stopping) return;
      await start();
    }
  }

  beforeApplicationShutdown(): void {
    this.stopping = true;
  }
}
