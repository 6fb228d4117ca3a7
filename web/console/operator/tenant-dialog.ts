import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { RequestError } from '../../client/rest.js';
import type { components } from '../../client/api.js';
import { en, fr, type TenantWords } from '../../words/console/operator-tenants.js';
import { type ConsoleContext, wordsIn } from '../context.js';
import { textIn } from '../forms.js';

type Schemas = components['schemas'];
type Tenant = Schemas['Tenant'];
type NewTenant = Schemas['NewTenant'];

const KINDS = ['cabinet', 'company'] as const;
const LOCALES = ['fr', 'en'] as const;

/** Adds or edits a tenant. Faults are shown at their fields; the browser moves the focus in and back. */
export class TenantDialog extends LitElement {
  private context: ConsoleContext | null = null;
  /** Null: a new one. */
  private tenant: Tenant | null = null;
  private faults = new Map<string, string>();
  private fault: string | null = null;
  private isBusy = false;
  private isOpen = false;

  protected override createRenderRoot(): this {
    return this;
  }

  /** @param tenant null: a new one */
  async open(context: ConsoleContext, tenant: Tenant | null): Promise<void> {
    if (this.isOpen) return;
    Object.assign(this, { context, tenant, faults: new Map(), fault: null, isBusy: false, isOpen: true });
    this.requestUpdate();
    await this.updateComplete;
    this.querySelector('dialog')?.showModal();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { context, tenant } = this;
    if (context === null || !this.isOpen) return nothing;
    const words = wordsIn(context.locale, { fr, en });
    const title = tenant === null ? words.add : words.edit_title(tenant.name);
    return html`<dialog aria-labelledby="tenant-title" @close=${() => this.closed()}>
      <form class="stack" novalidate @submit=${(event: SubmitEvent) => void this.submit(event)}>
        <h2 id="tenant-title">${title}</h2>
        ${this.fault === null ? nothing : html`<p class="fault" role="alert">${this.fault}</p>`}
        ${this.fields(context, words)}
        <p class="buttons">
          <button type="button" class="outlined" @click=${() => this.close()}>${context.words.cancel}</button>
          <button class="filled" aria-disabled=${this.isBusy ? 'true' : 'false'}>
            ${tenant === null ? words.add : words.save}
          </button>
        </p>
      </form>
    </dialog>`;
  }

  private fields(context: ConsoleContext, words: TenantWords): TemplateResult {
    const { tenant } = this;
    const zone = tenant?.time_zone ?? 'Europe/Paris';
    const limit = (value: number | null | undefined) => (value == null ? '' : String(value));
    const select = (
      name: string,
      label: string,
      value: string,
      choices: readonly (readonly [string, string])[],
    ) =>
      html`<label
        ><span>${label}</span
        ><select name=${name}>
          ${choices.map(([one, text]) => html`<option value=${one} ?selected=${one === value}>${text}</option>`)}
        </select></label
      >`;
    return html`${this.field('name', words.name, tenant?.name ?? '')}
      ${tenant === null ? this.field('slug', words.slug, '', words.slug_hint) : nothing}
      ${select(
        'kind',
        words.kind,
        tenant?.kind ?? 'cabinet',
        KINDS.map((kind) => [kind, words.kinds[kind]] as const),
      )}
      ${select(
        'locale',
        words.locale,
        tenant?.locale ?? context.locale,
        LOCALES.map((locale) => [locale, words.locales[locale]] as const),
      )}
      ${this.field('time_zone', words.zone, zone, '', 'tenant-zones')}
      <datalist id="tenant-zones">
        ${Intl.supportedValuesOf('timeZone').map((name) => html`<option value=${name}></option>`)}
      </datalist>
      ${
        tenant === null
          ? nothing
          : html`${this.field('limit_per_hour', words.limit_hour, limit(tenant.limit_per_hour), words.limit_hint)}
            ${this.field('limit_per_day', words.limit_day, limit(tenant.limit_per_day), words.limit_hint)}`
      }`;
  }

  private field(name: string, label: string, value: string, hint = '', list?: string): TemplateResult {
    const fault = this.faults.get(name);
    const isNumber = name.startsWith('limit');
    const described = [
      ...(hint === '' ? [] : [`tenant-${name}-hint`]),
      ...(fault === undefined ? [] : [`tenant-${name}-fault`]),
    ];
    return html`<label
      ><span>${label}</span
      ><input
        name=${name}
        autocomplete="off"
        inputmode=${isNumber ? 'numeric' : 'text'}
        list=${list ?? nothing}
        maxlength="200"
        dir=${name === 'name' ? 'auto' : nothing}
        .value=${value}
        aria-invalid=${fault === undefined ? 'false' : 'true'}
        aria-describedby=${described.length === 0 ? nothing : described.join(' ')}
      />${hint === '' ? nothing : html`<small id="tenant-${name}-hint">${hint}</small>`}${
        fault === undefined
          ? nothing
          : html`<small id="tenant-${name}-fault" class="critical">${fault}</small>`
      }</label
    >`;
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const { context, tenant } = this;
    if (context === null || this.isBusy) return;
    const words = wordsIn(context.locale, { fr, en });
    const form = event.target as HTMLFormElement;
    this.isBusy = true;
    this.requestUpdate();
    try {
      const saved =
        tenant === null
          ? await context.api.post('/api/v1/tenants', {
              body: { ...shared(form), slug: textIn(form, 'slug').trim() },
            })
          : await context.api.patch('/api/v1/tenants/{id}', {
              params: { path: { id: tenant.id } },
              body: {
                ...shared(form),
                limit_per_hour: limitIn(form, 'limit_per_hour'),
                limit_per_day: limitIn(form, 'limit_per_day'),
              },
            });
      this.close();
      context.toast({ text: words.saved(saved.name), tone: 'good' });
      this.dispatchEvent(new CustomEvent('tenant-saved', { bubbles: true }));
    } catch (error) {
      this.show(error, context, words);
    } finally {
      this.isBusy = false;
      this.requestUpdate();
    }
  }

  private show(error: unknown, context: ConsoleContext, words: TenantWords): void {
    this.faults = new Map();
    this.fault = null;
    if (error instanceof RequestError && error.code === 'conflict') this.faults.set('slug', words.taken);
    // In the words of the page: the server's details are English.
    for (const { pointer } of error instanceof RequestError ? (error.problem?.errors ?? []) : []) {
      const name = pointer.replace(/^\//, '');
      this.faults.set(name, words.faults[name] ?? context.words.faultOf(error));
    }
    if (this.faults.size === 0) this.fault = context.words.faultOf(error);
    this.requestUpdate();
    void this.updateComplete.then(() => this.querySelector<HTMLElement>('[aria-invalid=true]')?.focus());
  }

  private close(): void {
    this.querySelector('dialog')?.close();
  }

  private closed(): void {
    this.isOpen = false;
    this.requestUpdate();
  }
}

function shared(form: HTMLFormElement): Omit<NewTenant, 'slug' | 'time_zone' | 'locale'> & {
  time_zone: string;
  locale: 'fr' | 'en';
} {
  return {
    name: textIn(form, 'name').trim(),
    kind: textIn(form, 'kind') === 'company' ? 'company' : 'cabinet',
    locale: textIn(form, 'locale') === 'en' ? 'en' : 'fr',
    time_zone: textIn(form, 'time_zone').trim(),
  };
}

/** Null: the installation's default. Anything but a number is sent as -1, which the server refuses. */
function limitIn(form: HTMLFormElement, name: string): number | null {
  const text = textIn(form, name).trim();
  if (text === '') return null;
  return /^\d{1,9}$/.test(text) ? Number(text) : -1;
}

if (customElements.get('tenant-dialog') === undefined) customElements.define('tenant-dialog', TenantDialog);

declare global {
  interface HTMLElementTagNameMap {
    'tenant-dialog': TenantDialog;
  }
}
