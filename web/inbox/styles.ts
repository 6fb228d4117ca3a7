import { css } from 'lit';

/** The bell and the panel. Sizes in px: the host page's root font size is not ours to follow. */
export const styles = css`
  :host {
    display: inline-block;
    vertical-align: middle;
  }
  .bell {
    position: relative;
    width: 36px;
    height: 36px;
    padding: 0;
    border-radius: 50%;
  }
  .bell svg {
    width: 20px;
    height: 20px;
  }
  .badge {
    position: absolute;
    top: -2px;
    inset-inline-start: 18px;
    min-width: 18px;
    height: 18px;
    padding: 0 5px;
    border-radius: 9px;
    background: var(--critical);
    color: var(--surface);
    font-size: 11px;
    font-weight: 600;
    line-height: 18px;
    text-align: center;
    white-space: nowrap;
  }
  .unseen {
    position: absolute;
    bottom: 3px;
    inset-inline-end: 5px;
    width: 8px;
    height: 8px;
    border: 1px solid var(--surface);
    border-radius: 50%;
    background: var(--accent);
  }
  [popover] {
    inset: auto;
    margin: 0;
    padding: 0;
    border: 1px solid var(--border);
    border-radius: var(--radius);
    background: var(--surface);
    color: var(--text);
    box-shadow: 0 8px 28px rgb(0 0 0 / 0.18);
  }
  .panel {
    width: min(var(--vigie-panel-width, 480px), 100vw);
    height: min(var(--vigie-panel-height, 620px), 100dvh);
    overflow: hidden;
  }
  .panel:popover-open {
    display: flex;
    flex-direction: column;
  }
  .header {
    display: flex;
    align-items: center;
    gap: 2px;
    padding: 10px 10px 4px 16px;
  }
  h2 {
    flex: 1;
    margin: 0;
    font-size: 15px;
    font-weight: 650;
  }
  h2 small {
    margin-inline-start: 6px;
    color: var(--muted);
    font-size: 13px;
    font-weight: 400;
  }
  .tools {
    display: flex;
    align-items: center;
    gap: 4px;
    padding: 0 10px 6px 11px;
    border-bottom: 1px solid var(--border);
  }
  .tabs {
    display: flex;
    flex: 1;
    min-width: 0;
    padding-inline-end: 12px;
    overflow-x: auto;
    mask: linear-gradient(to right, #000 calc(100% - 12px), transparent);
    scrollbar-width: none;
  }
  .tabs button {
    flex: none;
    padding: 2px 5px;
    color: var(--muted);
    font-size: 12px;
  }
  .tabs button[aria-pressed='true'],
  .toggle[aria-pressed='true'] {
    background: var(--hover);
    color: var(--accent);
    font-weight: 600;
  }
  .notice {
    display: flex;
    align-items: center;
    gap: 8px;
    padding: 6px 16px;
    border-bottom: 1px solid var(--border);
    background: var(--hover);
    color: var(--muted);
    font-size: 13px;
  }
  .notice.fault {
    color: var(--critical);
  }
  .scroll {
    position: relative;
    flex: 1;
    min-height: 0;
    overflow-y: auto;
    overscroll-behavior: contain;
    scrollbar-width: thin;
  }
  .pill {
    position: sticky;
    z-index: 1;
    top: 8px;
    height: 0;
    text-align: center;
  }
  .pill button {
    padding: 2px 12px;
    border-radius: 14px;
    box-shadow: 0 2px 8px rgb(0 0 0 / 0.25);
    font-size: 13px;
  }
  .pill button:hover {
    background: var(--accent);
    filter: brightness(1.1);
  }
  [part='empty'] {
    height: 100%;
  }
  .center {
    display: flex;
    flex-direction: column;
    align-items: center;
    justify-content: center;
    gap: 8px;
    min-height: 100%;
    padding: 32px;
    text-align: center;
  }
  .center p {
    margin: 0;
  }
  .center .hint {
    color: var(--muted);
    font-size: 13px;
  }
  .more {
    display: flex;
    justify-content: center;
    padding: 8px 16px 14px;
  }
  .skeleton {
    height: 78px;
    padding: 12px 16px 0 28px;
    animation: pulse 1.4s ease-in-out infinite alternate;
  }
  .skeleton:first-of-type {
    width: 40%;
    height: 28px;
    padding-inline-start: 16px;
  }
  .skeleton span {
    display: block;
    height: 10px;
    margin-bottom: 10px;
    border-radius: 5px;
    background: var(--border);
  }
  .skeleton span:nth-child(1) {
    width: 62%;
  }
  .skeleton span:nth-child(2) {
    width: 88%;
  }
  .skeleton span:nth-child(3) {
    width: 24%;
  }
  @keyframes pulse {
    to {
      opacity: 0.45;
    }
  }
  slot[name='footer']::slotted(*) {
    border-top: 1px solid var(--border);
  }
  @media (max-width: 480px) {
    .panel {
      width: 100vw;
      height: 100dvh;
      border: 0;
      border-radius: 0;
    }
  }
  @media (forced-colors: active) {
    .skeleton span {
      background: GrayText;
      forced-color-adjust: none;
    }
    [aria-pressed='true'] {
      border-width: 2px;
    }
    .badge,
    .dot,
    .unseen {
      border: 1px solid CanvasText;
      forced-color-adjust: none;
    }
  }
`;
