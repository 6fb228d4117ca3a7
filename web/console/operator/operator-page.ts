import { html, nothing, type TemplateResult } from 'lit';
import { skeleton } from '../../design/skeleton.js';
import { en, fr, type OperatorWords } from '../../words/console/operator.js';
import { wordsIn } from '../context.js';
import { ConsolePage, failure, type HeadOptions, pageHead } from '../page.js';
import { Acting } from '../settings/acting.js';
import type { Resource } from '../resource.js';

const REFRESH_MS = 15_000;

const TABS = [
  ['overview_tab', '/operator'],
  ['runs', '/operator/runs'],
  ['deliveries', '/operator/deliveries'],
  ['queues', '/operator/queues'],
  ['connections', '/operator/connections'],
  ['tenants', '/operator/tenants'],
  ['audit', '/operator/audit'],
] as const;
type Tab = (typeof TABS)[number][0];

/** A page of the operator: tabs to the others, and data that is reloaded every 15 s while it is visible. */
export abstract class OperatorPage extends ConsolePage {
  protected abstract readonly tab: Tab;
  protected readonly acting = new Acting(() => this.requestUpdate());
  private unsubscribe: (() => void) | null = null;

  /** Loads again what is shown. */
  protected abstract refresh(): Promise<unknown>;

  protected get words(): OperatorWords {
    return wordsIn(this.context.locale, { fr, en });
  }

  override get heading(): string {
    const { sections } = this.words;
    return this.tab === 'overview_tab' ? sections.overview : sections[this.tab];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.unsubscribe = this.context.live.subscribe(() => void this.refresh(), { everyMs: REFRESH_MS });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.unsubscribe?.();
  }

  protected head(options: HeadOptions = {}): TemplateResult {
    const { sections } = this.words;
    return html`${pageHead(this.heading, options)}
      <div role="navigation" class="tabs" aria-label=${sections.label}>
        ${TABS.map(
          ([name, path]) =>
            html`<a href=${path} aria-current=${name === this.tab ? 'page' : nothing}>${sections[name]}</a>`,
        )}
      </div>`;
  }

  /** Renders a resource: a skeleton, a failure, or its content with the last failure above it. */
  protected shown<Value>(
    resource: Resource<Value>,
    content: (value: Value) => unknown,
    { lines = 4 }: { lines?: number } = {},
  ): unknown {
    const { context } = this;
    const fault =
      resource.fault === null ? nothing : failure(context, resource.fault, () => void resource.load());
    if (resource.value === null)
      return resource.fault === null ? skeleton(context.words.loading, lines) : fault;
    return html`${fault} ${content(resource.value)}`;
  }

  /** `14:32`, when a resource was loaded. */
  protected checkedAt({ loadedAt }: { loadedAt: number | null }): string {
    const { format } = this.context;
    return format.time(format.instant(loadedAt ?? Date.now()));
  }
}
