import { html, type PropertyValues, type TemplateResult } from 'lit';
import type { components } from '../../client/api.js';
import { badge } from '../../design/badge.js';
import { ago } from '../../design/time.js';
import { en, fr, type TenantWords } from '../../words/console/operator-tenants.js';
import { wordsIn } from '../context.js';
import { filterBar } from '../list/filter-bar.js';
import { ListState } from '../list/list-state.js';
import { type Column, listTable } from '../list/table.js';
import { type JobsChoice, jobsUrl } from './jobs-url.js';
import { OperatorPage } from './operator-page.js';
import './tenant-dialog.js';

type Tenant = components['schemas']['TenantInList'];
type Query = { q?: string; state?: 'active' | 'suspended'; sort?: 'name' | '-name' | 'created_at' };

/** `/operator/tenants`: the tenants of the installation. */
export default class TenantsPage extends OperatorPage {
  protected readonly tab = 'tenants';
  private readonly tenants = new ListState<Tenant>({
    load: (filters, { limit, cursor, count }, signal) =>
      this.context.api.get('/api/v1/admin/tenants', {
        params: {
          query: {
            limit,
            ...(filters as Query),
            ...(cursor === undefined ? {} : { cursor }),
            ...(count === undefined ? {} : { count }),
          },
        },
        signal,
      }),
    idOf: ({ id }) => id,
    filters: ['q', 'state', 'sort'],
    onChange: () => this.requestUpdate(),
  });

  private get tenantWords(): TenantWords {
    return wordsIn(this.context.locale, { fr, en });
  }

  protected override refresh(): Promise<void> {
    return this.tenants.refresh();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has('query')) this.tenants.read(this.query);
  }

  private edit(tenant: Tenant | null): void {
    void this.querySelector('tenant-dialog')?.open(this.context, tenant);
  }

  /** Suspends an active tenant, and makes a suspended one active. */
  private async toggle({ id, name, users, suspended_at: since }: Tenant): Promise<void> {
    const { context } = this;
    const own = this.tenantWords;
    const suspended = since === null;
    const number = context.format.number(users);
    const isConfirmed = await context.confirm({
      title: suspended ? own.suspend_title(name) : own.resume_title(name),
      text: suspended ? own.suspend_text(number) : own.resume_text(number),
      confirm: suspended ? own.suspend : own.resume,
      isDangerous: suspended,
    });
    if (!isConfirmed) return;
    await context.api.patch('/api/v1/tenants/{id}', { params: { path: { id } }, body: { suspended } });
    context.toast({
      text: suspended ? own.suspended_done(name) : own.resumed_done(name),
      tone: 'good',
    });
    await this.tenants.refresh();
  }

  protected override render(): TemplateResult {
    const { context, tenants, columns } = this;
    const own = this.tenantWords;
    const add = html`<button type="button" class="filled" @click=${() => this.edit(null)}>
      ${own.add}
    </button>`;
    return html`${this.head({ actions: add })}
      ${filterBar({
        context,
        state: tenants,
        filters: [
          { kind: 'search', name: 'q', label: own.search },
          {
            kind: 'choice',
            name: 'state',
            label: own.state,
            choices: [
              ['', own.all_states],
              ['active', own.states.active],
              ['suspended', own.states.suspended],
            ],
          },
        ],
        csv: {
          name: 'tenants.csv',
          columns: [...columns, { label: own.zone, cell: () => '', text: ({ time_zone: zone }) => zone }],
        },
      })}
      ${listTable({
        context,
        state: tenants,
        columns,
        idOf: ({ id }) => id,
        caption: own.caption,
        actions: { label: own.acts, of: (tenant) => this.actsOf(tenant) },
        empty: own.none,
        emptyFiltered: own.none_filtered,
      })} <tenant-dialog @tenant-saved=${() => void this.refresh()}></tenant-dialog>`;
  }

  private actsOf(tenant: Tenant): TemplateResult {
    const { context, acting } = this;
    const own = this.tenantWords;
    const toggle = tenant.suspended_at === null ? own.suspend : own.resume;
    return html`<span class="acts">
      <button
        type="button"
        class="outlined"
        aria-label="${own.edit}, ${tenant.name}"
        @click=${() => this.edit(tenant)}
      >
        ${own.edit}
      </button>
      <button
        type="button"
        class="outlined ${tenant.suspended_at === null ? 'danger' : ''}"
        aria-label="${toggle}, ${tenant.name}"
        aria-disabled=${acting.now ? 'true' : 'false'}
        @click=${() => void acting.run(context, () => this.toggle(tenant))}
      >
        ${toggle}
      </button>
    </span>`;
  }

  private get columns(): Column<Tenant>[] {
    const { format } = this.context;
    const own = this.tenantWords;
    const count = (label: string, of: (tenant: Tenant) => number, choice?: JobsChoice): Column<Tenant> => ({
      label,
      kind: 'number',
      cell: (tenant) => {
        const number = format.number(of(tenant));
        return choice === undefined
          ? number
          : html`<a href=${jobsUrl('deliveries', { ...choice, tenant: tenant.slug })}>${number}</a>`;
      },
      text: (tenant) => String(of(tenant)),
    });
    return [
      {
        label: own.name,
        kind: 'main',
        sort: 'name',
        cell: ({ name, slug }) =>
          html`<span class="stacked"
            ><span class="clamp" dir="auto" title=${name}>${name}</span
            ><small
              ><code>${slug}</code> · <a href="/operator/runs/${slug}">${own.runs}</a> ·
              <a href="/operator/audit?tenant=${slug}">${own.audit}</a></small
            ></span
          >`,
        text: ({ name }) => name,
      },
      {
        label: own.state,
        cell: ({ suspended_at: since }) =>
          since === null
            ? badge('good', own.states.active)
            : html`${badge('warning', own.states.suspended)} <small>${ago(format, since)}</small>`,
        text: ({ suspended_at: since }) => (since === null ? own.states.active : own.states.suspended),
      },
      {
        label: own.kind,
        cell: ({ kind, time_zone: zone }) =>
          html`<span class="stacked"
            ><span class="line">${own.kinds[kind]}</span><small>${zone}</small></span
          >`,
        text: ({ kind }) => kind,
      },
      count(own.users, ({ users }) => users),
      count(own.pending, ({ pending }) => pending, { state: 'pending' }),
      count(own.sent, ({ sent_24h: sent }) => sent, { state: 'completed', within: '24h' }),
      count(own.failed, ({ failed_24h: failed }) => failed, { state: 'failed', within: '24h' }),
      {
        label: own.created,
        sort: 'created_at',
        cell: ({ created_at: at }) => html`<span class="line">${format.date(format.civilDate(at))}</span>`,
        text: ({ created_at: at }) => at,
      },
    ];
  }
}
