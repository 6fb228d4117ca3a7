import { html, nothing, type TemplateResult } from 'lit';
import type { components } from '../../client/api.js';
import { kindName } from '../../words/console/kinds.js';
import { en, fr } from '../../words/console/settings-programs.js';
import { wordsIn } from '../context.js';
import { type DialogHead, FormDialog } from '../form-dialog.js';
import { boxesField, choiceField, textField } from './fields.js';
import type { Endpoint } from './webhook-state.js';

type NewEndpoint = components['schemas']['NewEndpoint'];
type Kind = NonNullable<NewEndpoint['kinds']>[number];

/** The kinds that endpoints can receive. */
const KINDS = [
  'deadline_near',
  'documents_missing',
  'tasks_overdue',
  'event',
  'backup_alert',
  'backup_recovered',
  'backup_damaged',
  'backup_report_rejected',
  'backup_agent_silent',
  'backup_agent_back',
] as const satisfies readonly Kind[];

export interface WebhookSaved {
  endpoint: Endpoint;
  /** Null: it has none, or it is not new. */
  secret: string | null;
}

/** Adds an endpoint, or changes one. Sends `webhook-saved` and `dialog-closed`. */
export class WebhookDialog extends FormDialog {
  static override properties = { endpoint: { attribute: false } };
  /** Null: a new one. */
  declare endpoint: Endpoint | null;
  private url = '';
  private format: NonNullable<NewEndpoint['format']> = 'standard';
  private description = '';
  private kinds: Kind[] | null = null;

  protected override willUpdate(): void {
    const { endpoint } = this;
    if (this.hasUpdated || endpoint === null) return;
    this.url = endpoint.url;
    this.format = endpoint.format;
    this.description = endpoint.description ?? '';
    this.kinds = endpoint.kinds === null ? null : KINDS.filter((kind) => endpoint.kinds?.includes(kind));
  }

  private get words() {
    return wordsIn(this.context.locale, { fr, en });
  }

  protected override get head(): DialogHead {
    const { words, endpoint } = this;
    return endpoint === null
      ? { name: 'webhook', title: words.add, submit: words.add }
      : { name: 'webhook', title: words.edit, submit: words.save };
  }

  protected override check(): void {
    const { words } = this;
    if (!/^https?:\/\/\S+$/i.test(this.url)) this.invalid.set('url', words.url_rule);
    if (this.kinds?.length === 0) this.invalid.set('kinds', words.kinds_rule);
  }

  protected override refused(field: string): string {
    const { words } = this;
    const rules: Readonly<Record<string, string>> = {
      kinds: words.kinds_rule,
      description: words.description_rule,
    };
    return rules[field] ?? words.url_refused;
  }

  protected override async save(): Promise<void> {
    const { endpoint } = this;
    const shared = { description: this.description.trim() || null, kinds: this.kinds };
    const detail: WebhookSaved =
      endpoint === null
        ? await this.create(shared)
        : { endpoint: await this.patch(endpoint, shared), secret: null };
    this.dispatchEvent(new CustomEvent('webhook-saved', { detail }));
  }

  private async create(shared: Pick<NewEndpoint, 'description' | 'kinds'>): Promise<WebhookSaved> {
    const body: NewEndpoint = { url: this.url, format: this.format, ...shared };
    const { secret, ...endpoint } = await this.context.api.post('/api/v1/tenant/webhooks', { body });
    return { endpoint, secret };
  }

  private patch(
    { id, url }: Endpoint,
    shared: Pick<NewEndpoint, 'description' | 'kinds'>,
  ): Promise<Endpoint> {
    // The address of a Slack webhook is shown without its token: it is sent only if it was changed.
    const body = { ...shared, ...(this.url === url ? {} : { url: this.url }) };
    return this.context.api.patch('/api/v1/tenant/webhooks/{id}', { params: { path: { id } }, body });
  }

  protected override fields(): TemplateResult {
    const { words, context } = this;
    return html`${textField(
      this.field('url', words.url, words.url_rule),
      this.url,
      (text) => this.set('url', () => (this.url = text.trim())),
      { type: 'url', maxlength: 2_000, isRequired: true },
    )}
    ${
      this.endpoint === null
        ? choiceField(
            { name: 'webhook-format', label: words.format },
            this.format,
            [
              ['standard', words.formats.standard],
              ['slack', words.formats.slack],
            ],
            (format) => this.set('format', () => (this.format = format)),
          )
        : nothing
    }
    ${textField(
      this.field('description', words.description),
      this.description,
      (text) => this.set('description', () => (this.description = text)),
      { maxlength: 500 },
    )}
    ${choiceField(
      { name: 'webhook-all', label: words.kinds },
      this.kinds === null ? 'all' : 'some',
      [
        ['all', words.all_kinds],
        ['some', words.some_kinds],
      ],
      (choice) => this.set('kinds', () => (this.kinds = choice === 'all' ? null : [])),
    )}
    ${
      this.kinds === null
        ? nothing
        : boxesField(
            this.field('kinds', words.some_kinds),
            this.kinds,
            KINDS.map((kind) => [kind, kindName(context.locale, kind)] as const),
            (kinds) => this.set('kinds', () => (this.kinds = kinds)),
          )
    }`;
  }
}

if (customElements.get('webhook-dialog') === undefined)
  customElements.define('webhook-dialog', WebhookDialog);
