import { css } from 'lit';

/** The snooze menu. */
export const menuStyles = css`
  .menu {
    min-width: 210px;
    max-width: calc(100vw - 16px);
    padding: 4px;
  }
  .menu:popover-open {
    display: flex;
    flex-direction: column;
  }
  .menu button {
    justify-content: space-between;
    gap: 16px;
    min-height: 32px;
    padding: 2px 10px;
  }
  .menu button span {
    color: var(--muted);
    font-size: 12px;
  }
  .menu label {
    display: block;
    margin-top: 4px;
    padding: 8px 10px 4px;
    border-top: 1px solid var(--border);
    color: var(--muted);
    font-size: 12px;
  }
  .menu .date {
    display: flex;
    flex-wrap: wrap;
    gap: 6px;
    padding: 0 10px 6px;
  }
  input {
    flex: 1;
    min-width: 0;
    min-height: 28px;
    padding: 2px 6px;
    border: 1px solid var(--border);
    border-radius: 6px;
    background: var(--surface);
  }
  .menu button.outlined {
    justify-content: center;
    min-height: 28px;
  }
`;
