import { html, nothing, type TemplateResult } from 'lit';
import { en, fr, type SettingsWords } from '../../words/console/settings.js';
import { type ConsoleContext, wordsIn } from '../context.js';
import { type HeadOptions, pageHead } from '../page.js';

const TABS = [
  ['general', '/settings'],
  ['templates', '/settings/templates'],
  ['webhooks', '/settings/webhooks'],
  ['keys', '/settings/keys'],
  ['stopped', '/settings/stopped-addresses'],
  ['audit', '/settings/audit'],
] as const;
export type Tab = (typeof TABS)[number][0];

export function settingsWords({ locale }: ConsoleContext): SettingsWords {
  return wordsIn(locale, { fr, en });
}

/** The head of a page of the settings: its name, and the way to the others. */
export function settingsHead(
  context: ConsoleContext,
  tab: Tab,
  { heading, ...options }: HeadOptions & { heading?: string } = {},
): TemplateResult {
  const words = settingsWords(context);
  return html`<div class="settings-tabs" role="navigation" aria-label=${words.tabs_label}>
      ${TABS.map(
        ([name, path]) =>
          html`<a href=${path} aria-current=${name === tab ? 'page' : nothing}>${words.tabs[name]}</a>`,
      )}
    </div>
    ${pageHead(heading ?? words.tabs[tab], options)}`;
}

/** Copies a text, and says so. */
export async function copy(context: ConsoleContext, text: string): Promise<void> {
  const words = settingsWords(context);
  try {
    // Not without a secure context: then the person copies it.
    await navigator.clipboard.writeText(text);
    context.toast({ text: words.copied, tone: 'good' });
  } catch {
    context.toast({ text: words.copy_failed, tone: 'critical' });
  }
}
