import { html, nothing, type TemplateResult } from 'lit';
import { PAGE_ICONS as ICONS } from '../design/page-icons.js';
import { ago } from '../design/time.js';
import type { ConsoleContext } from './context.js';
import { textIn } from './forms.js';
import { NAV_NAMES, type NavName, type Page, PAGES } from './pages.js';
import { isZoneChoice, type ZoneChoice } from './zones.js';

/** What the frame shows around a page, and what it does. */
export interface FrameView {
  context: ConsoleContext;
  current: NavName | null;
  zone: ZoneChoice;
  isMenuOpen: boolean;
  page: unknown;
  toggleMenu: (isOpen: boolean) => void;
  chooseZone: (zone: ZoneChoice) => void;
  signOut: () => void;
}

/** The pages in the navigation of a role, in its order. */
export function navigationOf(role: string): Page[] {
  const entries = PAGES.filter(({ nav, roles }) => nav !== undefined && roles?.some((one) => one === role));
  return NAV_NAMES.flatMap((name) => entries.find(({ nav }) => nav === name) ?? []);
}

export function frame(view: FrameView): TemplateResult {
  const { words } = view.context;
  return html`<a class="skip" href="#main">${words.skip}</a>
    ${topBar(view)}
    <div class="body">
      ${navigation(view)}
      <main id="main" tabindex="-1">${view.page}</main>
    </div>`;
}

function topBar(view: FrameView): TemplateResult {
  const { context, isMenuOpen, toggleMenu } = view;
  const { words, me, locale } = context;
  return html`<header class="top">
    <button
      type="button"
      class="icon menu-button"
      aria-label=${words.menu}
      aria-expanded=${isMenuOpen ? 'true' : 'false'}
      aria-controls="navigation"
      @click=${() => toggleMenu(!isMenuOpen)}
    >
      ${ICONS.menu}
    </button>
    <a class="brand" href="/" aria-label=${words.product}>${ICONS.brand}<span>${words.product}</span></a>
    ${search(context)}
    <div class="tools">
      ${live(context)} ${zones(view)}
      ${
        me.role === 'operator'
          ? nothing
          : html`<vigie-inbox
              .session=${me.id}
              .timeZone=${context.zone}
              lang=${locale}
              placement="bottom-end"
            ></vigie-inbox>`
      }
      ${account(view)}
    </div>
  </header>`;
}

/** Opens the list of due items, whose tabs count the matches of every kind; for operators, that of the tenants. */
function search(context: ConsoleContext): TemplateResult {
  const { words, me } = context;
  const isOperator = me.role === 'operator';
  const path = isOperator ? '/operator/tenants' : '/due-items';
  const label = isOperator ? words.search_tenants : words.search;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const text = textIn(form, 'q').trim();
    if (text === '') return;
    context.navigate(`${path}?${new URLSearchParams({ q: text }).toString()}`);
    form.reset();
  };
  return html`<search>
    <form @submit=${submit}>
      <input type="search" name="q" maxlength="200" aria-label=${label} placeholder=${label} />
    </form>
  </search>`;
}

function live({ live, words, format }: ConsoleContext): TemplateResult {
  const heard = live.heardAt === null ? null : format.instant(live.heardAt);
  const age = heard === null ? '' : words.live_age(format.ago(heard));
  return html`<span class="live ${live.state}" title=${age}
    ><span class="dot" aria-hidden="true"></span><span class="live-word">${words.live[live.state]}</span>${
      live.state === 'lost' && heard !== null
        ? html`<span class="live-age">${ago(format, heard)}</span>`
        : html`<span class="sr-only">${age}</span>`
    }</span
  >`;
}

function zones({ context, zone, chooseZone }: FrameView): TemplateResult {
  const { words, me } = context;
  const mine = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const choices: [ZoneChoice, string][] = [
    ...(me.tenant === null
      ? []
      : ([['tenant', words.zone_tenant(me.tenant.time_zone)]] as [ZoneChoice, string][])),
    ['mine', words.zone_mine(me.time_zone ?? mine)],
    ['utc', words.zone_utc],
  ];
  const change = (event: Event) => {
    const { value } = event.target as HTMLSelectElement;
    if (isZoneChoice(value)) chooseZone(value);
  };
  return html`<select class="zone" aria-label=${words.zone} @change=${change}>
    ${choices.map(([value, text]) => html`<option value=${value} ?selected=${value === zone}>${text}</option>`)}
  </select>`;
}

function account({ context, signOut }: FrameView): TemplateResult {
  const { me, words } = context;
  const name = me.name ?? words.operator_name;
  const close = (event: Event) => {
    const menu = event.currentTarget as HTMLDetailsElement;
    const next = event instanceof FocusEvent ? event.relatedTarget : null;
    if (!(next instanceof Node && menu.contains(next))) menu.open = false;
  };
  const onKey = (event: KeyboardEvent) => {
    const menu = event.currentTarget as HTMLDetailsElement;
    if (event.key !== 'Escape' || !menu.open) return;
    menu.open = false;
    menu.querySelector('summary')?.focus();
  };
  return html`<details class="account" @focusout=${close} @keydown=${onKey}>
    <summary aria-label="${words.account}, ${name}">
      <span class="initials" aria-hidden="true">${initials(name)}</span>
    </summary>
    <div class="account-menu">
      <p class="who"><strong dir="auto">${name}</strong><span dir="auto">${me.tenant?.name ?? ''}</span></p>
      <a
        href="/account"
        @click=${(event: Event) => (event.target as HTMLElement).closest('details')?.removeAttribute('open')}
        >${words.my_account}</a
      >
      <button type="button" @click=${signOut}>${words.sign_out}</button>
    </div>
  </details>`;
}

function initials(name: string): string {
  const parts = name.trim().split(/\s+/u);
  const ends = parts.length > 1 ? [parts[0], parts.at(-1)] : [parts[0]];
  return ends
    .map((part) => Array.from(part ?? '')[0] ?? '')
    .join('')
    .toUpperCase();
}

function navigation({ context, current, isMenuOpen, toggleMenu }: FrameView): TemplateResult {
  const { words, me } = context;
  return html`<nav
    id="navigation"
    aria-label=${words.nav.label}
    class=${isMenuOpen ? 'is-open' : ''}
    @click=${() => toggleMenu(false)}
    @keydown=${(event: KeyboardEvent) => {
      if (event.key === 'Escape') toggleMenu(false);
    }}
  >
    <ul>
      ${navigationOf(me.role).map(({ path, nav }) =>
        nav === undefined
          ? nothing
          : html`<li>
              <a href=${path} aria-current=${nav === current ? 'page' : nothing}
                >${ICONS[nav]}<span>${words.nav[nav]}</span></a
              >
            </li>`,
      )}
    </ul>
  </nav>`;
}
