import { placeBeside, type Placement } from './placement.js';

export interface PopoverOptions {
  /** Where the panel opens, beside the bell. */
  placement: () => Placement;
  /** Called before the panel is laid out and shown: the earliest moment to ask for its content. */
  onOpening: () => void;
  onOpen: () => void;
  onClose: () => void;
}

/**
 * The panel below the bell, and the menu above the panel: where they are, and where the focus goes when they close.
 * Positions are in constructed style sheets: a style attribute would need 'unsafe-inline'.
 */
export class Popovers {
  private readonly panelPosition = new CSSStyleSheet();
  private readonly menuPosition = new CSSStyleSheet();
  /** What had the focus before the menu. */
  private returnTo: Element | null = null;

  constructor(
    private readonly root: ShadowRoot,
    private readonly options: PopoverOptions,
  ) {
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, this.panelPosition, this.menuPosition];
    // These events do not bubble.
    root.addEventListener('beforetoggle', this.onBeforeToggle, true);
    root.addEventListener('toggle', this.onToggle, true);
  }

  get panel(): HTMLElement | null {
    return this.root.querySelector<HTMLElement>('#panel');
  }

  get isOpen(): boolean {
    return this.panel?.matches(':popover-open') === true;
  }

  close(): void {
    this.panel?.hidePopover();
  }

  openMenu(anchor: Element): void {
    const { menu } = this;
    if (menu === null) return;
    menu.showPopover();
    this.place(this.menuPosition, '.menu', anchor, menu, 'bottom-end');
    menu.querySelector('button')?.focus();
  }

  closeMenu(): void {
    this.menu?.hidePopover();
  }

  private get menu(): HTMLElement | null {
    return this.root.querySelector<HTMLElement>('#snooze');
  }

  private get bell(): HTMLElement | null {
    return this.root.querySelector<HTMLElement>('.bell');
  }

  /** The browser gives the focus back to the host of a shadow tree, not to a button in it. */
  private readonly onBeforeToggle = (event: Event): void => {
    const { newState, target } = event as ToggleEvent;
    const focused = this.root.activeElement;
    if (newState === 'open') {
      if (target === this.menu) this.returnTo = focused;
      else this.options.onOpening();
    } else if (target instanceof Node && target.contains(focused)) {
      const opener = target === this.menu ? this.returnTo : this.bell;
      if (opener instanceof HTMLElement) setTimeout(() => opener.focus());
    }
  };

  private readonly onToggle = (event: Event): void => {
    const { panel, bell } = this;
    if (event.target !== panel || panel === null) return;
    if ((event as ToggleEvent).newState === 'open') {
      if (bell !== null) this.place(this.panelPosition, '.panel', bell, panel, this.options.placement());
      panel.focus();
      this.options.onOpen();
    } else {
      this.options.onClose();
    }
  };

  /** On small screens the panel covers everything. */
  private place(
    sheet: CSSStyleSheet,
    selector: string,
    anchor: Element,
    popover: HTMLElement,
    placement: Placement,
  ): void {
    const { offsetWidth: width, offsetHeight: height } = popover;
    const viewport = { width: window.innerWidth, height: window.innerHeight };
    const { top, left } = placeBeside(anchor.getBoundingClientRect(), { width, height }, viewport, placement);
    const rule = `${selector} { top: ${top}px; left: ${left}px; }`;
    const small = selector === '.panel' ? `@media (max-width: 480px) { .panel { top: 0; left: 0; } }` : '';
    sheet.replaceSync(`${rule} ${small}`);
  }
}
