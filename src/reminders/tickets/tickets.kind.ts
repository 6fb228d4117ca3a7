import type { DueItemKind } from '../../due-items/due-item-kind.js';
import { comparable } from '../../platform/text/normalized.js';
import { Ticket } from './ticket.entity.js';
import { MAX_AMOUNT, NewTicket, TicketFilter, TicketPatch, TicketQuery } from './tickets.dto.js';

/** The `source_type` of tickets. */
export const TICKET = 'ticket';

/** The REST routes, files and lifecycle of tickets. No check watches tickets: their owners set reminders. */
export const TICKET_KIND: DueItemKind<Ticket, TicketFilter> = {
  name: 'tickets',
  source_type: TICKET,
  due: { table: 'tickets', endedAt: 'settled_at', open: 'open', late: 'open', ended: 'settled' },
  entity: Ticket,
  newItem: NewTicket,
  patch: TicketPatch,
  filter: TicketFilter,
  query: TicketQuery,
  end: { act: 'settle', description: 'Paid; its reminders end' },
  own: ['reference', 'amount_cents', 'currency'],
  numbers: ['amount_cents'],
  filters: ['status', 'reference'],
  columnNames: {
    title: ['contravention', 'amende', 'infraction'],
    due_on: ['a_payer_avant', 'a_payer_pour', 'date_limite_de_paiement'],
    responsible_email: ['proprietaire', 'titulaire', 'owner', 'email_proprietaire'],
    reference: ['ref', 'numero', 'no', 'n', 'numero_de_l_avis', 'numero_avis', 'numero_de_contravention'],
    // Not "montant": people write euros there.
    amount_cents: ['montant_en_centimes', 'montant_centimes'],
    currency: ['devise', 'monnaie'],
  },
  cells: {
    amount_cents: {
      read: (cell) => (/^\d{1,10}$/.test(comparable(cell)) ? Number(comparable(cell)) : cell),
      takes: `a whole number of cents, at most ${MAX_AMOUNT}: 13500 for 135 €`,
    },
    currency: {
      read: (cell) => comparable(cell).toUpperCase(),
      takes: 'a currency of ISO 4217, such as EUR',
    },
  },
};
