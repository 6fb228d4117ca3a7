import { html, LitElement, nothing, type TemplateResult } from 'lit';

export interface Question {
  title: string;
  /** What happens, with the number of what it happens to. */
  text: string;
  /** The verb on the button. */
  confirm: string;
  cancel: string;
  isDangerous?: boolean;
  /** A text that the person must give. */
  field?: { label: string; maxLength: number; changed: (text: string) => void };
}

/** Asks before an act. The browser moves the focus into the dialog, and back when it closes. */
export class VigieConfirm extends LitElement {
  private question: Question | null = null;
  private answer: ((isConfirmed: boolean) => void) | null = null;

  protected override createRenderRoot(): this {
    return this;
  }

  /** Whether the person confirmed. A second question closes the first one, unconfirmed. */
  async ask(question: Question): Promise<boolean> {
    this.settle(false);
    const answer = new Promise<boolean>((resolve) => {
      this.answer = resolve;
    });
    this.question = question;
    this.requestUpdate();
    await this.updateComplete;
    // Two questions at the same time open one dialog, with the second.
    const dialog = this.querySelector('dialog');
    if (dialog?.open === false && this.answer !== null) dialog.showModal();
    return answer;
  }

  protected override render(): TemplateResult {
    const { question } = this;
    return html`<dialog
      class="confirm"
      aria-labelledby="confirm-title"
      aria-describedby="confirm-text"
      @cancel=${() => this.settle(false)}
      @close=${this.onClose}
    >
      ${
        question === null
          ? nothing
          : html`<form method="dialog" @submit=${() => this.settle(true)}>
              <h2 id="confirm-title">${question.title}</h2>
              <p id="confirm-text">${question.text}</p>
              ${question.field === undefined ? nothing : field(question.field)}
              <p class="buttons">
                <button type="button" class="outlined" @click=${() => this.close()}>
                  ${question.cancel}
                </button>
                <button class="filled ${question.isDangerous === true ? 'danger' : ''}">
                  ${question.confirm}
                </button>
              </p>
            </form>`
      }
    </dialog>`;
  }

  /** This event comes late: a second question may be open by then. `cancel` answers Escape at once. */
  private readonly onClose = (event: Event): void => {
    if (!(event.target as HTMLDialogElement).open) this.settle(false);
  };

  private close(): void {
    this.querySelector('dialog')?.close();
  }

  private settle(isConfirmed: boolean): void {
    const { answer } = this;
    this.answer = null;
    if (answer === null) return;
    this.close();
    answer(isConfirmed);
  }
}

function field({ label, maxLength, changed }: NonNullable<Question['field']>): TemplateResult {
  return html`<label
    ><span>${label}</span
    ><textarea
      name="text"
      rows="2"
      required
      maxlength=${maxLength}
      @input=${(event: Event) => changed((event.target as HTMLTextAreaElement).value.trim())}
    ></textarea>
  </label>`;
}

if (customElements.get('vigie-confirm') === undefined) customElements.define('vigie-confirm', VigieConfirm);

declare global {
  interface HTMLElementTagNameMap {
    'vigie-confirm': VigieConfirm;
  }
}
