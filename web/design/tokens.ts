import { css } from 'lit';

/**
 * The design's values, each replaceable by a page through a `--vigie-*` variable. Colours have at least 4.5:1 on the
 * surface, in light and dark. `light-dark()` follows `color-scheme`.
 */
export const tokens = css`
  :host {
    --accent: var(--vigie-accent, light-dark(#1a56c4, #8ab4ff));
    --on-accent: var(--vigie-on-accent, light-dark(#ffffff, #10131a));
    --surface: var(--vigie-surface, light-dark(#ffffff, #191c22));
    --text: var(--vigie-text, light-dark(#1b1f27, #e6e9ef));
    --muted: var(--vigie-muted, light-dark(#5a6170, #a3abba));
    --border: var(--vigie-border, light-dark(#e1e4ea, #31363f));
    --hover: var(--vigie-hover, light-dark(#f3f5f9, #22262e));
    --critical: var(--vigie-critical, light-dark(#b3261e, #ff9a90));
    --warning: var(--vigie-warning, light-dark(#8a5300, #f0b65c));
    --radius: var(--vigie-radius, 8px);
    --font: var(--vigie-font, system-ui, sans-serif);
    --font-size: var(--vigie-font-size, 14px);
  }
`;

/** Shields the shadow tree from what it would inherit, and sets the few things that every element shares. */
export const base = css`
  :host {
    all: initial;
    color-scheme: light dark;
    font: 400 var(--font-size) / 1.4 var(--font);
    font-variant-numeric: tabular-nums;
    color: var(--text);
    -webkit-text-size-adjust: 100%;
  }
  :host([theme='light']) {
    color-scheme: light;
  }
  :host([theme='dark']) {
    color-scheme: dark;
  }
  :host([hidden]) {
    display: none;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  button,
  input,
  select {
    font: inherit;
    color: inherit;
  }
  button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 6px;
    min-width: 28px;
    min-height: 28px;
    padding: 2px 8px;
    border: 1px solid transparent;
    border-radius: 6px;
    background: none;
    cursor: pointer;
  }
  button:hover {
    background: var(--hover);
  }
  button:disabled {
    cursor: default;
    opacity: 0.55;
  }
  button.icon {
    padding: 0;
    width: 28px;
    color: var(--muted);
  }
  button.icon:hover {
    color: var(--text);
  }
  button.outlined {
    border-color: var(--border);
  }
  button.filled {
    background: var(--accent);
    color: var(--on-accent);
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 1px;
  }
  svg {
    display: block;
    width: 18px;
    height: 18px;
    fill: none;
    stroke: currentColor;
    stroke-width: 1.75;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .sr-only {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: reduce) {
    * {
      animation: none !important;
      transition: none !important;
    }
  }
  @media (forced-colors: active) {
    button {
      border-color: ButtonBorder;
    }
  }
`;
