import { html, LitElement, type TemplateResult } from 'lit';

export interface MenuItem {
  label: string;
  /** Beside it, muted: an hour, a number. */
  note?: string;
  isDangerous?: boolean;
  act: () => void;
}

const GAP_PX = 4;
const MARGIN_PX = 8;
let ids = 0;

/**
 * A button that opens a short list of acts above everything else on the page, and focuses the first one.
 * Esc closes it and gives the focus back.
 */
export class VigieMenu extends LitElement {
  static override properties = {
    label: { attribute: false },
    name: { attribute: false },
    items: { attribute: false },
  };
  declare label: unknown;
  /** For screen readers, where the label is not enough. */
  declare name: string;
  declare items: readonly MenuItem[];
  private readonly listId = `menu-${(ids += 1)}`;

  protected override createRenderRoot(): this {
    return this;
  }

  protected override render(): TemplateResult {
    return html`<button
        type="button"
        class="outlined"
        aria-label=${this.name}
        aria-haspopup="menu"
        aria-expanded="false"
        popovertarget=${this.listId}
      >
        ${this.label}
      </button>
      <div
        id=${this.listId}
        class="menu"
        role="menu"
        aria-label=${this.name}
        popover
        @toggle=${this.onToggle}
        @keydown=${this.onKey}
      >
        ${this.items.map(
          ({ label, note = '', isDangerous = false, act }, at) =>
            html`<button
              type="button"
              role="menuitem"
              ?autofocus=${at === 0}
              class=${isDangerous ? 'danger' : ''}
              @click=${() => {
                this.list?.hidePopover();
                act();
              }}
            >
              <span>${label}</span><small>${note}</small>
            </button>`,
        )}
      </div>`;
  }

  private get list(): HTMLElement | null {
    return this.querySelector<HTMLElement>('.menu');
  }

  private get buttons(): HTMLButtonElement[] {
    return [...this.querySelectorAll<HTMLButtonElement>('.menu button')];
  }

  private readonly onToggle = (event: Event): void => {
    const { list } = this;
    const button = this.querySelector('button');
    const isOpen = (event as ToggleEvent).newState === 'open';
    button?.setAttribute('aria-expanded', String(isOpen));
    if (!isOpen || list === null || button === null) return;
    const anchor = button.getBoundingClientRect();
    const fitsBelow = anchor.bottom + GAP_PX + list.offsetHeight <= innerHeight - MARGIN_PX;
    const top = fitsBelow ? anchor.bottom + GAP_PX : anchor.top - GAP_PX - list.offsetHeight;
    const left = Math.min(anchor.right - list.offsetWidth, innerWidth - MARGIN_PX - list.offsetWidth);
    list.style.top = `${Math.max(MARGIN_PX, top)}px`;
    list.style.left = `${Math.max(MARGIN_PX, left)}px`;
  };

  /** https://www.w3.org/WAI/ARIA/apg/patterns/menu-button/ */
  private readonly onKey = (event: KeyboardEvent): void => {
    const { buttons } = this;
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const places: Record<string, number> = {
      ArrowDown: (at + 1) % buttons.length,
      ArrowUp: (at - 1 + buttons.length) % buttons.length,
      Home: 0,
      End: buttons.length - 1,
    };
    const place = places[event.key];
    if (place !== undefined) {
      event.preventDefault();
      buttons[place]?.focus();
    } else if (event.key === 'Tab') this.list?.hidePopover();
  };
}

if (customElements.get('vigie-menu') === undefined) customElements.define('vigie-menu', VigieMenu);

/** @param label what the button shows @param name what screen readers say of it */
export function menu(label: unknown, name: string, items: readonly MenuItem[]): TemplateResult {
  return html`<vigie-menu .label=${label} .name=${name} .items=${items}></vigie-menu>`;
}

declare global {
  interface HTMLElementTagNameMap {
    'vigie-menu': VigieMenu;
  }
}
