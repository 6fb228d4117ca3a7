import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { ApiClient } from '../client/api-client.js';
import '../design/confirm.js';
import { Formats } from '../design/formats.js';
import { skeleton } from '../design/skeleton.js';
import '../design/toast.js';
import { en, fr } from '../words/console/frame.js';
import type { ConsoleContext, Locale, Me } from './context.js';
import { frame, navigationOf } from './frame.js';
import { InboxEvents } from './inbox-events.js';
import { Live } from './live.js';
import { OtherTabs } from './other-tabs.js';
import { failure } from './page.js';
import { type Page, PAGES } from './pages.js';
import { PageSlot } from './page-slot.js';
import { type Route, Router } from './router.js';
import { Session } from './session.js';
import './sign-in/expired.js';
import { store, stored } from './stored.js';
import { setWrong, titleOf } from './title.js';
import { OverviewState } from './today/overview-state.js';
import { isZoneChoice, type ZoneChoice, zoneOf } from './zones.js';

/** The overview is read again this often, and when something changes: things become late by themselves. */
const OVERVIEW_MS = 60_000;
/** Before somebody has signed in. Only pages without a role are shown then. */
const NOBODY: Me = {
  id: '',
  role: 'member',
  name: null,
  email: null,
  tenant: null,
  locale: null,
  time_zone: null,
};

/** The console: signs in, shows the frame, and in it the page of the address. */
export class VigieConsole extends LitElement {
  private me: Me | null = null;
  private phase: 'starting' | 'ready' | 'failed' = 'starting';
  private fault: unknown = null;
  private isMenuOpen = false;
  private zone: ZoneChoice = 'tenant';
  private context: ConsoleContext;
  private heading = '';
  private readonly api = new ApiClient({
    onAnswer: () => {
      this.live.heard();
      if (this.me?.role === 'operator') this.live.enter('live');
    },
    onNoAnswer: () => this.live.missed(),
    onUnauthenticated: () => {
      if (this.me !== null) this.session.expire();
    },
    // The page itself shows what its acts change.
    onChange: () => {
      this.loadOverview();
      this.tabs.tellChange();
    },
  });
  private readonly live = new Live(() => this.requestUpdate(), document);
  private readonly session = new Session(this.api, () => this.requestUpdate());
  private readonly overview = new OverviewState(this.api);
  private readonly tabs = new OtherTabs({
    shown: () => this.me?.id ?? null,
    ask: () => this.session.owner(),
    resume: () => {
      if (this.session.isExpired) this.resume();
    },
    changed: () => this.live.changed(),
  });
  private readonly slotOfPage = new PageSlot(() => this.requestUpdate());
  private readonly router = new Router<Page>(PAGES, (route, previous) => this.show(route, previous));

  constructor() {
    super();
    const choice = stored('zone');
    if (isZoneChoice(choice)) this.zone = choice;
    this.context = this.makeContext();
  }

  protected override createRenderRoot(): this {
    return this;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.addEventListener('page-heading', this.onHeading);
    this.addEventListener('signed-in', this.onSignedIn);
    this.addEventListener('sign-out', () => void this.signOut());
    this.overview.subscribe(() => this.nameWindow());
    this.live.subscribe(() => this.loadOverview(), { everyMs: OVERVIEW_MS });
    new InboxEvents(this, {
      live: this.live,
      expire: () => this.session.expire(),
      navigate: (url) => this.router.navigate(url),
    }).listen();
    void this.begin();
  }

  /** Asks who is signed in, then shows the page of the address. */
  private async begin(): Promise<void> {
    try {
      this.me = await this.session.load();
      this.phase = 'ready';
      this.context = this.makeContext();
      this.router.start();
      if (this.me !== null) this.loadRest(this.me);
    } catch (error) {
      this.phase = 'failed';
      this.fault = error;
    }
    this.requestUpdate();
  }

  /** What the first page does not need: the bell, and the other pages. */
  private loadRest(me: Me): void {
    const { role } = me;
    this.loadOverview();
    setTimeout(() => {
      void import('./push.js')
        .then(({ ConsolePush }) => new ConsolePush(this.api, me).begin((url) => this.router.navigate(url)))
        .catch(() => undefined);
      if (role === 'operator')
        void import('./operator/installation.js')
          .then(({ installationOf }) => installationOf(this.api).watch(() => this.context))
          .catch(() => undefined);
      else void import('../inbox/vigie-inbox.js').catch(() => undefined);
      for (const { load } of navigationOf(role)) void load().catch(() => undefined);
    }, 300);
  }

  private makeContext(): ConsoleContext {
    const { api, session, live, overview, me } = this;
    const locale: Locale = me?.locale ?? me?.tenant?.locale ?? browserLocale();
    const zone = zoneOf(this.zone, me);
    document.documentElement.lang = locale;
    return {
      api,
      session,
      live,
      overview,
      me: me ?? NOBODY,
      words: locale === 'fr' ? fr : en,
      locale,
      zone,
      format: new Formats(locale, zone, () => api.now()),
      navigate: (url, options) => this.router.navigate(url, options),
      toast: (toast) => this.querySelector('vigie-toasts')?.show(toast),
      confirm: async (question) =>
        (await this.querySelector('vigie-confirm')?.ask({
          ...question,
          cancel: this.context.words.cancel,
        })) ?? false,
    };
  }

  private show(route: Route<Page> | null, previous: Route<Page> | null): void {
    const { me } = this;
    this.isMenuOpen = false;
    if (route === null || route.page.roles === null) {
      this.slotOfPage.show(route, this.context, previous !== null);
      return;
    }
    if (me === null) {
      this.router.navigate(`/sign-in?${new URLSearchParams({ next: route.url }).toString()}`, {
        replace: true,
      });
      return;
    }
    const home = navigationOf(me.role)[0]?.path ?? '/account';
    if (route.page.roles.includes(me.role)) this.slotOfPage.show(route, this.context, previous !== null);
    else if (route.page.path === '/') this.router.navigate(home, { replace: true });
    else this.slotOfPage.show(null, this.context, previous !== null);
  }

  private readonly onSignedIn = (event: Event): void => {
    const { detail: id } = event as CustomEvent<string>;
    const { me } = this;
    this.tabs.tellUser(id);
    const isAtSignIn = this.router.route?.page.roles === null;
    if (me !== null && !isAtSignIn) {
      // Another person's page must show nothing of the one before.
      if (me.id !== id) location.reload();
      else this.resume();
      return;
    }
    const next = new URLSearchParams(location.search).get('next') ?? '/';
    const url = this.router.match(next)?.url ?? '/';
    if (me !== null) {
      location.replace(url);
      return;
    }
    history.replaceState(null, '', url);
    this.router.stop();
    void this.begin();
  };

  /** The person has signed in again. */
  private resume(): void {
    this.session.resume();
    this.querySelector('vigie-inbox')?.retryConnection();
    this.live.changed();
    this.requestUpdate();
  }

  private async signOut(): Promise<void> {
    try {
      // Somebody else may use this browser next.
      await import('./push.js').then(({ leavePush }) => leavePush(this.api)).catch(() => undefined);
      await this.session.signOut();
      this.tabs.tellUser(null);
      location.assign('/sign-in');
    } catch (error) {
      this.context.toast({ text: this.context.words.faultOf(error), tone: 'critical' });
    }
  }

  private readonly onHeading = (event: Event): void => {
    this.heading = (event as CustomEvent<string>).detail;
    this.nameWindow();
  };

  /** Shows the number of problems in the title and the icon of the tab. */
  private nameWindow(): void {
    const { wrong } = this.overview;
    document.title = titleOf(this.heading, wrong);
    setWrong(wrong);
  }

  private loadOverview(): void {
    if (this.me !== null && this.me.role !== 'operator' && !this.session.isExpired) void this.overview.load();
  }

  private chooseZone(zone: ZoneChoice): void {
    this.zone = zone;
    store('zone', zone);
    this.context = this.makeContext();
    this.slotOfPage.update(this.context);
    this.requestUpdate();
  }

  protected override updated(_changed: PropertyValues): void {
    void this.slotOfPage.settle(this.querySelector('main'));
  }

  protected override render(): TemplateResult {
    const { context, session, me } = this;
    const { words } = context;
    return html`${this.body()}
      <vigie-toasts .closeLabel=${words.close}></vigie-toasts>
      <vigie-confirm></vigie-confirm>
      ${me === null ? nothing : html`<session-expired .context=${context} .isShown=${session.isExpired}></session-expired>`}`;
  }

  private body(): TemplateResult {
    const { context, phase, me } = this;
    if (phase === 'starting') return html`<main>${skeleton(context.words.loading)}</main>`;
    if (phase === 'failed') {
      const retry = () => {
        this.phase = 'starting';
        this.requestUpdate();
        void this.begin();
      };
      return html`<main>${failure(context, this.fault, retry)}</main>`;
    }
    const page = this.slotOfPage.content(context);
    const current = this.router.route?.page;
    if (me === null || current?.roles === null)
      return html`<main id="main" tabindex="-1" class="alone">${page}</main>`;
    return frame({
      context,
      page,
      current: current?.nav ?? current?.within ?? null,
      zone: this.zone,
      isMenuOpen: this.isMenuOpen,
      toggleMenu: (isOpen) => {
        this.isMenuOpen = isOpen;
        this.requestUpdate();
      },
      chooseZone: (zone) => this.chooseZone(zone),
      signOut: () => void this.signOut(),
    });
  }
}

function browserLocale(): Locale {
  return navigator.language.toLowerCase().startsWith('fr') ? 'fr' : 'en';
}

customElements.define('vigie-console', VigieConsole);

declare global {
  interface HTMLElementTagNameMap {
    'vigie-console': VigieConsole;
  }
}
