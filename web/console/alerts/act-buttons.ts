import { html, nothing, type TemplateResult } from 'lit';
import { menu, type MenuItem } from '../../design/menu.js';
import { snoozeTimes } from '../../design/snooze-times.js';
import { type AlertWords, en, fr } from '../../words/console/alerts.js';
import { type ConsoleContext, wordsIn } from '../context.js';
import { type Act, type Alert, type AlertActs, nameOf } from './alert-acts.js';

/** The buttons of an alert: the usual act, and a menu with the others. */
export function actButtons(
  context: ConsoleContext,
  acts: AlertActs,
  alert: Alert,
): TemplateResult | typeof nothing {
  if (alert.state === 'resolved') return nothing;
  const words = wordsIn(context.locale, { fr, en });
  const run = (act: Act) => void runAct(context, words, acts, alert, act);
  const first: Act = alert.acknowledged_at === null ? 'acknowledge' : 'unacknowledge';
  return html`<span class="acts">
    <button type="button" class="outlined" @click=${() => run(first)}>${words[nameOf(first)]}</button>
    ${menu('…', context.words.labelled(words.acts, alert.title), otherActs(context, words, alert, run))}
  </span>`;
}

function otherActs(
  context: ConsoleContext,
  words: AlertWords,
  alert: Alert,
  run: (act: Act) => void,
): MenuItem[] {
  const snoozes = snoozeTimes(context.format.now()).map(({ name, at }) => ({
    label: words.snooze_choices[name],
    note: context.format.full(at.toISOString()),
    act: () => run({ until: at }),
  }));
  return [
    ...(alert.acknowledged_at === null ? snoozes : []),
    ...(alert.snoozed_until === null ? [] : [{ label: words.unsnooze, act: () => run('unsnooze') }]),
    { label: words.resolve, isDangerous: true, act: () => run('resolve') },
  ];
}

/** Sends an act, and says what has happened. Silencing cannot be undone: it asks before. */
async function runAct(
  context: ConsoleContext,
  words: AlertWords,
  acts: AlertActs,
  alert: Alert,
  act: Act,
): Promise<void> {
  if (act === 'resolve') {
    const { resolve_title: title, resolve_text: text, resolve: confirm } = words;
    if (!(await context.confirm({ title, text, confirm, isDangerous: true }))) return;
  }
  try {
    if ((await acts.run(alert, act)) !== null) context.toast({ text: words.done[nameOf(act)], tone: 'good' });
  } catch (error) {
    context.toast({ text: context.words.faultOf(error), tone: 'critical' });
  }
}
