import { html, nothing, type TemplateResult } from 'lit';
import { en, fr } from '../../words/console/why.js';
import { type ConsoleContext, wordsIn } from '../context.js';
import { queryOf, type Question } from './why-state.js';

/** A link that asks why somebody got something, or not; for admins. */
export function whyLink(
  context: ConsoleContext,
  question: Partial<Question>,
): TemplateResult | typeof nothing {
  if (context.me.role !== 'admin') return nothing;
  const query = queryOf({ tenant: '', user: '', address: '', fact: '', ...question });
  return html`<a class="button outlined" href=${`/why?${query}`}
    >${wordsIn(context.locale, { fr, en }).link}</a
  >`;
}
