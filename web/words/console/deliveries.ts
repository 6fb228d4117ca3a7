import { REASONS_EN, REASONS_FR } from '../reasons.js';

/** Words for stored codes. An unknown code, from a newer server, is shown as it is. */
type Codes = Readonly<Record<string, string>>;

/** The words that the pages of notifications and people share: channels, states and reasons. */
export const en = {
  channels: { email: 'E-mail', sms: 'Text message', push: 'Push', webhook: 'Webhook' } as Codes,
  states: {
    pending: 'Waiting',
    queued: 'Queued',
    sending: 'Being sent',
    sent: 'Sent',
    failed: 'Failed',
    suppressed: 'Not sent',
    cancelled: 'Cancelled',
    unknown: 'Uncertain',
  } as Codes,
  /** Why a delivery waits or is not sent, in the server's words. */
  reasons: REASONS_EN,
  unknown_hint: 'The provider did not answer: it may have arrived.',
};

export type DeliveryWords = typeof en;

export const fr: DeliveryWords = {
  channels: { email: 'E-mail', sms: 'SMS', push: 'Push', webhook: 'Webhook' },
  states: {
    pending: 'En attente',
    queued: 'En file d’attente',
    sending: 'En cours d’envoi',
    sent: 'Envoyée',
    failed: 'Échec',
    suppressed: 'Non envoyée',
    cancelled: 'Annulée',
    unknown: 'Incertaine',
  },
  reasons: REASONS_FR,
  unknown_hint: 'Le fournisseur n’a pas répondu : elle est peut-être arrivée.',
};
