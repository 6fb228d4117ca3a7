/**
 * Keeps the first names of a folder in sort order. Its memory is bounded: it holds at most twice as many names as it
 * keeps.
 */
export class FirstNames {
  private names: string[] = [];
  private cut = false;

  /** @param most how many it keeps */
  constructor(private readonly most: number) {}

  /** Names that it holds now. */
  get size(): number {
    return this.names.length;
  }

  add(name: string): void {
    this.names.push(name);
    if (this.names.length >= 2 * this.most) this.trim();
  }

  /** The first ones, in order. */
  sorted(): readonly string[] {
    this.trim();
    return this.names;
  }

  /** Whether there were more than it keeps. */
  get hasMore(): boolean {
    return this.cut || this.names.length > this.most;
  }

  private trim(): void {
    this.names.sort();
    if (this.names.length <= this.most) return;
    this.names.length = this.most;
    this.cut = true;
  }
}
