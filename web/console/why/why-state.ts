import type { ApiClient } from '../../client/api-client.js';
import type { components } from '../../client/api.js';
import { RequestError } from '../../client/rest.js';

export type Why = components['schemas']['Why'];
export type WhyFact = components['schemas']['WhyFact'];
export type TraceStep = components['schemas']['TraceStep'];
export type TracedRun = components['schemas']['TracedRun'];
export type ChannelChain = components['schemas']['ChannelChain'];

/** Who is asked about, and what; as in the address. */
export interface Question {
  /** Short name of the tenant, for operators; empty: the own one. */
  tenant: string;
  user: string;
  address: string;
  fact: string;
}

export function questionOf(query: URLSearchParams): Question {
  const value = (name: string) => query.get(name)?.trim() ?? '';
  return { tenant: value('tenant'), user: value('user'), address: value('address'), fact: value('fact') };
}

/** The address of a question: only what is given. */
export function queryOf(question: Question): string {
  const given = Object.entries(question).filter(([, value]) => value !== '');
  return new URLSearchParams(given).toString();
}

/** A question and its answer. No DOM. */
export class WhyState {
  why: Why | null = null;
  /** Why it could not be answered; null: it was, or nobody has asked. */
  fault: unknown = null;
  /** The tenant has no such person. */
  isUnknown = false;
  isLoading = false;
  private asked = '';

  constructor(private readonly onChange: () => void) {}

  /** Asks again only if the question is another one. Without a recipient there is nothing to ask. */
  async ask(api: ApiClient, question: Question): Promise<void> {
    const asked = queryOf(question);
    if (asked === this.asked && this.fault === null) return;
    const { tenant, user, address, fact } = question;
    const isWhole = user !== '' || address !== '';
    Object.assign(this, { asked, why: null, fault: null, isUnknown: false, isLoading: isWhole });
    this.onChange();
    if (!isWhole) return;
    const query = {
      ...(tenant === '' ? {} : { tenant }),
      ...(user === '' ? { address } : { user }),
      ...(fact === '' ? {} : { fact }),
    };
    try {
      const why = await api.get('/api/v1/admin/why', { params: { query } });
      if (asked !== this.asked) return;
      Object.assign(this, { why, isLoading: false });
    } catch (error) {
      if (asked !== this.asked) return;
      const isUnknown = error instanceof RequestError && error.code === 'not_found';
      Object.assign(this, { fault: isUnknown ? null : error, isUnknown, isLoading: false });
    }
    this.onChange();
  }
}
