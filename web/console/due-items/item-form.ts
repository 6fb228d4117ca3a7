import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { type DueItemWords, en, fr } from '../../words/console/due-items.js';
import { type ConsoleContext, wordsIn } from '../context.js';
import { textIn } from '../forms.js';
import { type DueItem, type FieldName, type Kind, kindApi } from './due-item-api.js';
import { changesOf, faultsOf, fieldsOf, itemOf, LENGTHS, REQUIRED } from './item-values.js';
import type { Person } from './people.js';

/** The dialog that adds or edits an item. Fires `saved` with it. */
export class ItemForm extends LitElement {
  static override properties = { context: { attribute: false }, people: { attribute: false } };
  declare context: ConsoleContext;
  declare people: readonly Person[];
  private kind: Kind = 'deadlines';
  private item: DueItem | null = null;
  private faults: readonly FieldName[] = [];
  private fault: string | null = null;
  private isBusy = false;
  private mustFocus = false;

  constructor() {
    super();
    this.people = [];
  }

  protected override createRenderRoot(): this {
    return this;
  }

  get isOpen(): boolean {
    return this.querySelector('dialog')?.open === true;
  }

  /** @param item null: a new one */
  async open(kind: Kind, item: DueItem | null): Promise<void> {
    Object.assign(this, { kind, item, faults: [], fault: null, isBusy: false });
    this.requestUpdate();
    await this.updateComplete;
    this.querySelector('form')?.reset();
    this.querySelector('dialog')?.showModal();
  }

  protected override updated(_changed: PropertyValues): void {
    const [first] = this.faults;
    if (first === undefined || !this.mustFocus) return;
    this.mustFocus = false;
    this.querySelector<HTMLElement>(`[name=${first}]`)?.focus();
  }

  private get words(): DueItemWords {
    return wordsIn(this.context.locale, { fr, en });
  }

  protected override render(): TemplateResult {
    const { words, kind, item, fault } = this;
    const heading = item === null ? words.form.add_title[kind] : words.form.edit_title;
    return html`<dialog class="item-form" aria-labelledby="item-form-title">
      <form novalidate @submit=${(event: SubmitEvent) => void this.submit(event)}>
        <h2 id="item-form-title">${heading}</h2>
        ${fault === null ? nothing : html`<p class="fault" role="alert">${fault}</p>`}
        <div class="item-fields">${fieldsOf(kind).map((field) => this.field(field))}</div>
        <p class="buttons">
          <button type="button" class="outlined" @click=${() => this.close()}>
            ${this.context.words.cancel}
          </button>
          <button class="filled" aria-disabled=${this.isBusy ? 'true' : nothing}>${words.form.save}</button>
        </p>
      </form>
    </dialog>`;
  }

  private field(field: FieldName): TemplateResult {
    const { words } = this;
    const isFaulty = this.faults.includes(field);
    const hint = field === 'responsible_id' ? words.form.responsible_hint : null;
    const describedBy = [isFaulty ? `fault-${field}` : '', hint === null ? '' : `hint-${field}`]
      .join(' ')
      .trim();
    return html`<div class="item-field ${field}">
      <label for="field-${field}"
        >${words.form[field]}${REQUIRED.includes(field) ? html` <small>(${words.form.required.toLowerCase()})</small>` : nothing}</label
      >
      ${this.control(field, isFaulty, describedBy)}
      ${isFaulty ? html`<small class="field-fault" id="fault-${field}">${words.form.faults[field]}</small>` : nothing}
      ${hint === null ? nothing : html`<small id="hint-${field}">${hint}</small>`}
    </div>`;
  }

  private control(field: FieldName, isFaulty: boolean, describedBy: string): TemplateResult {
    const id = `field-${field}`;
    const value = String(this.item?.[field] ?? '');
    const described = describedBy === '' ? nothing : describedBy;
    const invalid = isFaulty ? 'true' : nothing;
    const required = REQUIRED.includes(field);
    if (field === 'description') {
      return html`<textarea
        id=${id}
        name=${field}
        rows="3"
        maxlength="5000"
        aria-invalid=${invalid}
        aria-describedby=${described}
        .defaultValue=${value}
      ></textarea>`;
    }
    if (field === 'responsible_id') {
      const isKnown = value === '' || this.people.some((person) => person.id === value);
      return html`<select id=${id} name=${field} aria-invalid=${invalid} aria-describedby=${described}>
        <option value="" .defaultSelected=${value === ''}>${this.words.nobody}</option>
        ${isKnown ? nothing : html`<option value=${value} .defaultSelected=${true}>${value}</option>`}
        ${this.people.map(
          ({ id: person, name }) =>
            html`<option value=${person} .defaultSelected=${person === value}>${name}</option>`,
        )}
      </select>`;
    }
    return html`<input
      id=${id}
      name=${field}
      type=${field === 'due_on' ? 'date' : 'text'}
      inputmode=${field === 'amount_cents' ? 'numeric' : nothing}
      maxlength=${LENGTHS[field] ?? nothing}
      min=${field === 'due_on' ? '1900-01-01' : nothing}
      max=${field === 'due_on' ? '2199-12-31' : nothing}
      autocomplete="off"
      aria-required=${required ? 'true' : nothing}
      aria-invalid=${invalid}
      aria-describedby=${described}
      .defaultValue=${value}
    />`;
  }

  private close(): void {
    this.querySelector('dialog')?.close();
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.isBusy) return;
    const { kind, item, context, words } = this;
    const form = event.target as HTMLFormElement;
    const textOf = (field: FieldName) => textIn(form, field);
    const empty = REQUIRED.filter((field) => textIn(form, field).trim() === '');
    if (empty.length > 0) {
      this.show(empty, words.form.check);
      return;
    }
    const changes = item === null ? null : changesOf(kind, item, textOf);
    if (changes !== null && Object.keys(changes).length === 0) {
      this.close();
      return;
    }
    this.isBusy = true;
    this.faults = [];
    this.requestUpdate();
    try {
      const api = kindApi(context.api, kind);
      const saved = await (item === null || changes === null
        ? api.create(itemOf(kind, textOf))
        : api.update(item.id, changes));
      this.isBusy = false;
      this.close();
      context.toast({ text: words.form.saved, tone: 'good' });
      this.dispatchEvent(new CustomEvent('saved', { detail: saved, bubbles: true }));
    } catch (error) {
      this.isBusy = false;
      const faults = faultsOf(error);
      this.show(faults, faults.length > 0 ? words.form.check : context.words.faultOf(error));
    }
  }

  private show(faults: readonly FieldName[], fault: string): void {
    this.faults = faults;
    this.fault = fault;
    this.mustFocus = true;
    this.requestUpdate();
  }
}

if (customElements.get('item-form') === undefined) customElements.define('item-form', ItemForm);

declare global {
  interface HTMLElementTagNameMap {
    'item-form': ItemForm;
  }
}
