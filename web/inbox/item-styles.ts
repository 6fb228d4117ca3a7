import { css } from 'lit';

/** A day, and its notifications. */
export const itemStyles = css`
  .day {
    padding: 12px 16px 2px;
    color: var(--muted);
    font-size: 12px;
    font-weight: 600;
  }
  article {
    position: relative;
    padding: 8px 16px 6px 28px;
    outline-offset: -3px;
  }
  article:focus-visible {
    border-radius: var(--radius);
    outline-offset: -3px;
  }
  article:hover,
  article:focus-within {
    background: var(--hover);
  }
  .dot {
    position: absolute;
    top: 14px;
    inset-inline-start: 12px;
    width: 8px;
    height: 8px;
    border-radius: 50%;
    background: var(--accent);
  }
  .line {
    display: flex;
    align-items: baseline;
    gap: 8px;
  }
  .title {
    flex: 1;
    min-width: 0;
    margin: 0;
    font-size: inherit;
    font-weight: 400;
  }
  article.unread .title {
    font-weight: 600;
  }
  .title > * {
    display: -webkit-box;
    width: fit-content;
    min-height: 24px;
    padding: 2px 0;
    border: 0;
    overflow: hidden;
    background: none;
    color: inherit;
    font-weight: inherit;
    text-align: start;
    text-decoration: none;
    overflow-wrap: anywhere;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
  }
  .title > :hover {
    text-decoration: underline;
  }
  time {
    flex: none;
    color: var(--muted);
    font-size: 12px;
  }
  .body {
    display: -webkit-box;
    margin: 0;
    overflow: hidden;
    color: var(--muted);
    font-size: 13px;
    overflow-wrap: anywhere;
    white-space: pre-line;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 3;
  }
  [data-open] .body,
  [data-open] .title > * {
    -webkit-line-clamp: none;
  }
  .foot {
    position: relative;
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px;
    min-height: 30px;
  }
  .facts {
    flex: 1 1 auto;
    padding: 4px 0;
    color: var(--muted);
    font-size: 12px;
    overflow-wrap: anywhere;
  }
  /* Do not break a fact across lines, even beside the actions. */
  .facts > * {
    display: inline-block;
    unicode-bidi: isolate;
  }
  .facts > * + *::before {
    margin: 0 5px;
    color: var(--muted);
    content: '·';
    font-weight: 400;
  }
  .facts .is-unread {
    color: var(--accent);
  }
  .facts .critical {
    color: var(--critical);
    font-weight: 600;
  }
  .facts .warning {
    color: var(--warning);
    font-weight: 600;
  }
  .acts {
    display: flex;
    flex: none;
    align-items: center;
    /* Align the last icon with the end of the text. */
    margin-inline: auto -5px;
  }
  /* They cover the facts rather than make room: nothing moves under the pointer. */
  @media (hover: hover) {
    .acts {
      position: absolute;
      inset-inline-end: 0;
      padding-inline-start: 8px;
      background: var(--hover);
      opacity: 0;
    }
  }
  article:hover .acts,
  article:focus-within .acts {
    opacity: 1;
  }
  .acts .act {
    color: var(--accent);
    font-size: 13px;
  }
  .why {
    margin: 2px 0 6px;
    padding: 6px 10px;
    border-inline-start: 2px solid var(--border);
    color: var(--muted);
    font-size: 13px;
  }
  .why p {
    margin: 0;
  }
`;
