import { html, LitElement, type PropertyDeclarations, type TemplateResult } from 'lit';
import { RequestError } from '../client/rest.js';
import type { ConsoleContext } from './context.js';
import { Acting } from './settings/acting.js';
import { type Field, focusInvalid } from './settings/fields.js';

/** What a dialog is called, and what its buttons say. */
export interface DialogHead {
  /** Unique on the page; the fields' names start with it. */
  name: string;
  title: string;
  submit: string;
}

/**
 * A form in a dialog that opens as soon as it is in the page. It says what is not valid in its place and moves the
 * focus there; a second click while it saves does nothing. Sends `dialog-closed` when it is closed unsaved.
 */
export abstract class FormDialog extends LitElement {
  static override properties: PropertyDeclarations = { context: { attribute: false } };
  declare context: ConsoleContext;
  /** The rule of each field that is not valid, by the name of the field. */
  protected readonly invalid = new Map<string, string>();
  private readonly acting = new Acting(() => this.requestUpdate());

  protected abstract get head(): DialogHead;

  /** Fills `invalid`, from what was typed. */
  protected abstract check(): void;

  /** @throws RequestError, whose fields `refused` names */
  protected abstract save(): Promise<void>;

  /** The rule of a field that the server refused; null: the dialog has no such field. */
  protected abstract refused(field: string, error: RequestError): string | null;

  protected abstract fields(): TemplateResult;

  protected override createRenderRoot(): this {
    return this;
  }

  protected override firstUpdated(): void {
    this.querySelector('dialog')?.showModal();
  }

  /** A field whose rule is shown while it is not valid. */
  protected field(name: string, label: string, hint?: string, kind?: Field['kind']): Field {
    return {
      name: `${this.head.name}-${name}`,
      label,
      rule: this.invalid.get(name) ?? '',
      isInvalid: this.invalid.has(name),
      ...(hint === undefined ? {} : { hint }),
      ...(kind === undefined ? {} : { kind }),
    };
  }

  /** Takes what was typed in a field. It counts as valid until the form is sent again. */
  protected set(field: string, change: () => void): void {
    change();
    this.invalid.delete(field);
    this.requestUpdate();
  }

  protected override render(): TemplateResult {
    const { name, title, submit } = this.head;
    return html`<dialog
      class="form-dialog"
      aria-labelledby="${name}-dialog-title"
      @close=${() => this.dispatchEvent(new CustomEvent('dialog-closed'))}
    >
      <form
        novalidate
        @submit=${(event: Event) => {
          event.preventDefault();
          void this.submit();
        }}
      >
        <h2 id="${name}-dialog-title">${title}</h2>
        ${this.fields()}
        <p class="buttons">
          <button type="button" class="outlined" @click=${() => this.querySelector('dialog')?.close()}>
            ${this.context.words.cancel}
          </button>
          <button class="filled" aria-disabled=${this.acting.now ? 'true' : 'false'}>${submit}</button>
        </p>
      </form>
    </dialog>`;
  }

  private async submit(): Promise<void> {
    await this.acting.run(this.context, async () => {
      this.invalid.clear();
      this.check();
      if (this.invalid.size > 0) return;
      try {
        await this.save();
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        for (const { pointer } of error.problem?.errors ?? []) {
          const name = pointer.split('/')[1] ?? '';
          const rule = this.refused(name, error);
          if (rule !== null) this.invalid.set(name, rule);
        }
        if (this.invalid.size === 0) throw error;
      }
    });
    await this.updateComplete;
    focusInvalid(this);
  }
}
