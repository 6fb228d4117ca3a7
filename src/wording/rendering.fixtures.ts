import type { NotificationKind } from '../contracts/kinds.js';
import { SAMPLE_DAY, SAMPLES } from './samples.js';
import type { TemplateStore } from './template-store.js';
import type { MessageLinks, Reader, RenderedMail, WordedItem } from './worded.js';

export { group, SAMPLE_DAY as TODAY, SAMPLES as KIND_DATA } from './samples.js';

/** Everything that words depend on, flat, so that a test changes one value by its name. */
export type Input = Omit<WordedItem, 'id'> & Reader & { links: MessageLinks };

/** A complete input of a kind; for `welcome` and the like with the link that the channel adds. */
export function inputFor(kind: NotificationKind, changes: Partial<Input> = {}): Input {
  return {
    kind,
    locale: 'fr',
    today: SAMPLE_DAY,
    tenant: { name: 'Cabinet Durand', time_zone: 'Europe/Paris' },
    recipient: { name: 'Claire' },
    own: null,
    severity: 'warning',
    data: {
      ...SAMPLES[kind],
      ...(['welcome', 'password_reset'].includes(kind) && {
        link_url: 'https://vigie.example.fr/password#token=8f3b',
      }),
    },
    created_at: new Date('2025-11-03T08:00:00Z'),
    audience: 'responsible',
    author_name: kind === 'message' ? 'Bruno' : null,
    item_url: 'https://vigie.example.fr/items/7',
    links: { unsubscribe_url: 'https://vigie.example.fr/unsubscribe/abc' },
    ...changes,
  };
}

/** The mail of one notification. */
export function render(store: TemplateStore, input: Input): RenderedMail {
  const { locale, today, tenant, recipient, own, links, ...item } = input;
  return store.itemMail({ id: null, ...item }, { locale, today, tenant, recipient, own }, links);
}
