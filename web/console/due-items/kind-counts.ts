import { type Kind, KINDS } from './due-item-api.js';

type Filters = Readonly<Record<string, string>>;

/** How many items of each kind match the filters: the search of the frame is for all of them. No DOM. */
export class KindCounts {
  counts: Readonly<Partial<Record<Kind, number>>> = {};
  private key = '';
  private requests = 0;

  constructor(
    private readonly load: (kind: Kind, filters: Filters) => Promise<{ count?: number }>,
    private readonly onChange: () => void,
  ) {}

  /** Counts unless these filters are those that are shown. A kind that cannot be counted has no number. */
  show(filters: Filters): void {
    const key = JSON.stringify(filters);
    if (key === this.key) return;
    this.key = key;
    void this.count(filters);
  }

  /** Counts again. */
  refresh(filters: Filters): void {
    this.key = '';
    this.show(filters);
  }

  private async count(filters: Filters): Promise<void> {
    const request = ++this.requests;
    const counts = await Promise.all(
      KINDS.map(async (kind) => {
        const page = await this.load(kind, filters).catch(() => null);
        return [kind, page?.count] as const;
      }),
    );
    if (request !== this.requests) return;
    this.counts = Object.fromEntries(counts.filter(([, count]) => count !== undefined));
    this.onChange();
  }
}
