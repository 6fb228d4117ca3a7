import { html, type TemplateResult } from 'lit';
import { en as itemsEn, fr as itemsFr } from '../../words/console/due-items.js';
import { en, fr, type ImportWords } from '../../words/console/import.js';
import { wordsIn } from '../context.js';
import type { Import, ImportRoutes } from '../import/import-api.js';
import { ImportPage, type ImportPlace } from '../import/import-page.js';
import { type Kind, kindOf, KINDS } from './due-item-api.js';
import { importRoutes } from './import-routes.js';
import { itemUrl } from './item-cells.js';
import { loadPeople, type Person } from './people.js';

/** `/due-items/import`: a file of deadlines, documents, tasks or tickets. */
export default class DueItemImportPage extends ImportPage {
  private people: readonly Person[] = [];

  override connectedCallback(): void {
    super.connectedCallback();
    void loadPeople(this.context.api)
      .then((people) => (this.people = people))
      .catch(() => undefined)
      .finally(() => this.requestUpdate());
  }

  protected override get words(): ImportWords {
    return wordsIn(this.context.locale, { fr, en });
  }

  private get items() {
    return wordsIn(this.context.locale, { fr: itemsFr, en: itemsEn });
  }

  private get kind(): Kind {
    return kindOf(this.query.get('kind'));
  }

  protected override get place(): ImportPlace {
    const { kind, items } = this;
    return {
      listUrl: kind === 'deadlines' ? '/due-items' : `/due-items?kind=${kind}`,
      back: items.detail.back[kind],
      itemUrl: (id) => itemUrl(kind, id),
    };
  }

  protected override routesOf(query: URLSearchParams): ImportRoutes {
    return importRoutes(this.context.api, kindOf(query.get('kind')));
  }

  protected override kindQuery(kind: Import['kind']): Record<string, string> {
    return { kind };
  }

  protected override fieldText(field: string): string {
    return super.fieldText(field === 'responsible_id' ? 'responsible_email' : field);
  }

  protected override valueText(field: string, value: string): string {
    if (field === 'due_on') return this.context.format.date(value);
    if (field === 'responsible_id') return this.people.find(({ id }) => id === value)?.name ?? value;
    return value;
  }

  protected override kindField(): TemplateResult {
    const { words, items } = this;
    const change = (event: Event) =>
      this.context.navigate(`?kind=${(event.target as HTMLSelectElement).value}`, { replace: true });
    return html`<label
      ><span>${words.kind}</span>
      <select name="kind" @change=${change}>
        ${KINDS.map(
          (kind) => html`<option value=${kind} ?selected=${kind === this.kind}>${items.kinds[kind]}</option>`,
        )}
      </select>
    </label>`;
  }
}
