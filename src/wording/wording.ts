import { LRUCache } from 'lru-cache';
import type { Locale } from '../contracts/locales.js';
import { itemUrl, withLineUrls } from './item-url.js';
import type { TenantStatements } from '../platform/database/database.js';
import type { OwnWords } from './tenant-templates/own-words.js';
import type { TenantTemplates } from './tenant-templates/tenant-templates.js';
import type { MessageLinks, Reader, RenderedMail, WordedItem, Words } from './worded.js';
import type { TemplateStore } from './template-store.js';

/** Cached characters: the first pages of active feeds, at about 150 each. */
const MAX_CHARACTERS = 4_000_000;
/** The cost of an entry besides its words, in characters. */
const ENTRY_COST = 150;

/** The words of notifications, from `templates/`: rendered when they are shown or sent, never stored. */
export class Wording {
  private readonly made = new LRUCache<string, Words>({
    maxSize: MAX_CHARACTERS,
    sizeCalculation: ({ title, body }) => title.length + body.length + ENTRY_COST,
  });

  /** @param itemUrlPattern ITEM_URL; null: no links to items */
  constructor(
    private readonly templates: TemplateStore,
    private readonly itemUrlPattern: string | null = null,
    private readonly own: OwnWords | null = null,
  ) {}

  /**
   * The tenant's own words, for a `Reader`.
   * @param version `tenants.wording_version`, read together with what is shown or sent
   * @param statements the caller's transaction, if it has one
   */
  async ownWords(
    tenantId: string,
    version: string | null,
    statements?: TenantStatements,
  ): Promise<TenantTemplates | null> {
    return version === null || this.own === null ? null : this.own.of(tenantId, version, statements);
  }

  /** The label of the status of a delivery. */
  statusLabel(status: 'pending' | 'sent' | 'failed', locale: Locale): string {
    return this.templates.label(locale, `status_${status}`) ?? status;
  }

  /**
   * Why a message was sent or not, in words that follow a colon.
   * @param code of `contracts/reasons.ts`; one that this version does not have is returned as it is
   */
  reasonText(code: string, locale: Locale): string {
    return this.templates.reason(locale, code) ?? code;
  }

  /** Title and body in the reader's locale, as of today in the tenant's zone. */
  titleAndBody(item: WordedItem, reader: Reader): Words {
    if (item.id === null) return this.templates.words(item, reader);
    const key = `${item.id} ${reader.locale} ${reader.today} ${reader.own?.version ?? ''}`;
    const known = this.made.get(key);
    if (known !== undefined) return known;
    const words = this.templates.words(item, reader);
    this.made.set(key, words);
    return words;
  }

  /** One mail: for one notification from the templates of its kind, for several from those of the bundle. */
  mail(items: readonly WordedItem[], reader: Reader, links: MessageLinks): RenderedMail {
    const [first, ...others] = items.map((item) => this.withUrls(item, reader));
    if (first === undefined) throw new Error('a mail has at least one notification');
    return others.length === 0
      ? this.templates.itemMail(first, reader, links)
      : this.templates.bundleMail([first, ...others], reader, links);
  }

  /** For channels with little room: one notification as in feeds; for several the bundle's title, and theirs by line. */
  short(items: readonly WordedItem[], reader: Reader): Words {
    const [first, ...others] = items;
    if (first === undefined) throw new Error('a message has at least one notification');
    if (others.length === 0) return this.titleAndBody(first, reader);
    return {
      title: this.templates.bundleTitle(items, reader),
      body: items.map((item) => this.titleAndBody(item, reader).title).join('\n'),
    };
  }

  /** The URL of a notification's item by ITEM_URL; null without one. */
  itemUrl(item: WordedItem, { tenant: { slug } }: Reader): string | null {
    return item.item_url ?? itemUrl(this.itemUrlPattern, slug, item);
  }

  private withUrls(item: WordedItem, reader: Reader): WordedItem {
    const { slug } = reader.tenant;
    const pattern = this.itemUrlPattern;
    return {
      ...item,
      data: withLineUrls(pattern, slug, item.data),
      item_url: this.itemUrl(item, reader),
    };
  }
}
