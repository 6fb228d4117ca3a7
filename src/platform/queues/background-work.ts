import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';

type Start = () => void | Promise<void>;

/**
 * Work that a process starts unprompted: it polls, dispatches, reaps, takes jobs and announces itself. All of it starts
 * once HTTP listens, so a process that cannot start, because its port is taken, has written nothing and taken no work.
 */
@Injectable()
export class BackgroundWork implements BeforeApplicationShutdown {
  private readonly starts: Start[] = [];
  private stopping = false;

  /** Registers work to start then. Call it while the application initialises. */
  onBegin(start: Start): void {
    this.starts.push(start);
  }

  /** Starts all registered work, in order of registration. Call it once, when HTTP listens. */
  async begin(): Promise<void> {
    for (const start of this.starts) {
      // The process was asked to stop during its start.
      if (this.stopping) return;
      await start();
    }
  }

  beforeApplicationShutdown(): void {
    this.stopping = true;
  }
}
