import { html, nothing, type TemplateResult } from 'lit';
import { badge, shape, type Tone } from '../../design/badge.js';
import { ago } from '../../design/time.js';
import type { TodayWords } from '../../words/console/today.js';
import type { ConsoleContext } from '../context.js';
import { backupsUrl, backupUrl, lineUrl, listUrl, type SectionName } from './links.js';
import type { Overview } from './overview-state.js';

export interface TodayView {
  context: ConsoleContext;
  words: TodayWords;
  data: Overview;
}

type Line = Overview['late']['lines'][number];
const TYPES = ['deadline', 'document', 'task'] as const;

/** A text that leads somewhere, if it does. */
export function linked(url: string | null, content: unknown): unknown {
  return url === null ? content : html`<a href=${url}>${content}</a>`;
}

function heading(id: string, tone: Tone, name: string, count: unknown): TemplateResult {
  return html`<h2 id=${id}>${shape(tone)}<span>${name}</span><span class="count">${count}</span></h2>`;
}

/** What is late, due today, or due in the next days. */
export function dueSection(view: TodayView, name: Exclude<SectionName, 'documents'>): TemplateResult {
  const { context, words, data } = view;
  const section = data[name];
  const isLate = name === 'late';
  const tone: Tone =
    section.total === 0 ? 'good' : isLate ? 'critical' : name === 'due_today' ? 'warning' : 'info';
  const counts = TYPES.filter((type) => section[type] > 0).map((type, place) => [
    place > 0 ? ' · ' : '',
    linked(listUrl(data, context.me.id, name, type), words.types[type](section[type])),
  ]);
  const rest = section.total - section.lines.length;
  return html`<section class="card" aria-labelledby=${name}>
    ${heading(name, tone, words.sections[name], counts)}
    ${
      section.total === 0
        ? html`<p class="checked">
            ${words.empty[name]} ${context.words.list.checked(context.format.time(data.checked_at))}
          </p>`
        : lines(view, section.lines, html`${words.rest(rest)}. ${words.see_all} ${counts}`, rest)
    }
  </section>`;
}

/** The documents that clients have not sent, whenever they are due. */
export function documentSection(view: TodayView): TemplateResult {
  const { context, words, data } = view;
  const { documents } = data;
  const rest = documents.total - documents.lines.length;
  const all = linked(
    listUrl(data, context.me.id, 'documents', 'document'),
    words.types.document(documents.total),
  );
  const late = linked(listUrl(data, context.me.id, 'late', 'document'), words.documents_late(documents.late));
  const tone: Tone = documents.total === 0 ? 'good' : documents.late > 0 ? 'warning' : 'waiting';
  return html`<section class="card" aria-labelledby="documents">
    ${heading('documents', tone, words.sections.documents, documents.total === 0 ? '' : [all, documents.late > 0 ? html` · ${late}` : ''])}
    ${
      documents.total === 0
        ? html`<p class="checked">
            ${words.empty.documents} ${context.words.list.checked(context.format.time(data.checked_at))}
          </p>`
        : lines(view, documents.lines, html`${words.rest(rest)}. ${words.see_all} ${all}`, rest, false)
    }
  </section>`;
}

/** @param more what leads to the others, of which there are `rest` */
function lines(
  view: TodayView,
  shown: readonly Line[],
  more: TemplateResult,
  rest: number,
  isMixed = true,
): TemplateResult {
  return html`<ul class="lines">
      ${shown.map((line) => itemLine(view, line, isMixed))}
    </ul>
    ${rest > 0 ? html`<p class="rest">${more}</p>` : nothing}`;
}

function itemLine({ context, words, data }: TodayView, line: Line, isMixed: boolean): TemplateResult {
  const { format } = context;
  const isLate = line.due_on < data.today;
  const facts = [
    ...(isMixed ? [words.type_names[line.type]] : []),
    ...(line.client_name === null ? [] : [line.client_name]),
    ...(data.scope === 'own' ? [] : [line.responsible_name ?? words.nobody]),
  ];
  return html`<li>
    <span class="name">
      ${linked(lineUrl(line), html`<span dir="auto">${line.title}</span>`)}
      <span class="meta"
        >${facts.map((fact, place) => html`${place > 0 ? ' · ' : ''}<span dir="auto">${fact}</span>`)}</span
      >
    </span>
    <span class="when ${isLate ? 'critical' : ''}" title=${format.longDate(line.due_on)}
      >${format.days(line.due_on)}<span class="meta">${format.date(line.due_on)}</span></span
    >
  </li>`;
}

/** The jobs whose newest backup is not good, the longest without a good one first. */
export function backupSection({ context, words, data: { backups } }: TodayView): TemplateResult {
  const { format } = context;
  const notGood = (text: string) => linked(backupsUrl('not_good'), text);
  const count =
    backups.not_good === 0
      ? ''
      : html`${notGood(format.number(backups.not_good))} /
        ${linked(backupsUrl(null), format.number(backups.jobs))}`;
  const tone: Tone = backups.not_good > 0 ? 'critical' : backups.jobs === 0 ? 'neutral' : 'good';
  const rest = backups.not_good - backups.problems.length;
  const scanned =
    backups.checked_at === null
      ? words.never_scanned
      : html`${words.last_scan} ${ago(format, backups.checked_at)}.`;
  const isGood = backups.jobs > 0 && backups.not_good === 0;
  return html`<section class="card" aria-labelledby="backups">
    ${heading('backups', tone, words.sections.backups, count)}
    ${
      backups.problems.length === 0
        ? nothing
        : html`<ul class="lines">
            ${backups.problems.map(
              (job) =>
                html`<li>
                  <span class="name">
                    ${linked(backupUrl(job.job_id), html`<span dir="auto">${job.database_name}</span>`)}
                    <span class="meta" dir="auto">${job.company_name} · ${job.agent_id}</span>
                  </span>
                  <span class="when"
                    >${badge(job.doubtful ? 'warning' : 'critical', words.verdicts[job.verdict])}<span
                      class="meta"
                      >${
                        job.last_success_at === null
                          ? words.never_good
                          : html`${words.last_good} ${ago(format, job.last_success_at)}`
                      }</span
                    ></span
                  >
                </li>`,
            )}
          </ul>`
    }
    ${rest > 0 ? html`<p class="rest">${notGood(words.rest_of(rest, backups.not_good))}</p>` : nothing}
    <p class="checked">
      ${backups.jobs === 0 ? words.empty.no_backups : isGood ? linked(backupsUrl('SUCCESS'), words.empty.backups(backups.good)) : nothing}
      ${backups.unknown > 0 ? html`${linked(backupsUrl('unknown'), words.unknown_jobs(backups.unknown))}.` : nothing}
      ${backups.jobs === 0 ? nothing : scanned}
    </p>
  </section>`;
}
