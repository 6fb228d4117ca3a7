import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import type { ChosenPreferences, Preferences, Rest } from '../client/rest.js';
import { base, tokens } from '../design/tokens.js';
import { EN, type Words } from '../words/en.js';
import { EXTRAS_EN, type ExtraWords } from '../words/extras-en.js';

const styles = css`
  :host {
    display: block;
    padding: 8px 16px 16px;
  }
  table {
    width: 100%;
    border-collapse: collapse;
  }
  th {
    padding: 6px 4px;
    color: var(--muted);
    font-size: 12px;
    font-weight: 600;
    text-align: start;
  }
  tbody th {
    color: var(--text);
    font-size: 13px;
    font-weight: 400;
  }
  td,
  thead th {
    padding: 3px 4px;
    text-align: center;
  }
  tbody tr {
    border-top: 1px solid var(--border);
  }
  td label {
    display: inline-flex;
    padding: 4px;
  }
  input[type='checkbox'] {
    width: 18px;
    height: 18px;
    margin: 0;
    accent-color: var(--accent);
  }
  fieldset {
    display: flex;
    align-items: center;
    gap: 10px;
    margin: 14px 0;
    padding: 0;
    border: 0;
    font-size: 13px;
  }
  legend {
    padding: 0 0 6px;
    color: var(--muted);
    font-size: 12px;
    font-weight: 600;
  }
  fieldset input {
    margin-inline-start: 6px;
    padding: 2px 6px;
    border: 1px solid var(--border);
    border-radius: 6px;
    background: var(--surface);
  }
`;

type Preference = Preferences['preferences'][number];
type Choice = ChosenPreferences['preferences'][number];

/** Which kinds come by which channel, and the hours without messages. Part of `<vigie-inbox>`, not for pages. */
class PreferencesForm extends LitElement {
  static override styles = [tokens, base, styles];
  static override properties = {
    preferences: { attribute: false },
    rest: { attribute: false },
    words: { attribute: false },
    say: { attribute: false },
    isSaving: { state: true },
  };

  declare preferences: Preferences | null;
  declare rest: Rest | null;
  declare words: Words & ExtraWords;
  declare say: (isSaved: boolean) => void;
  declare private isSaving: boolean;

  constructor() {
    super();
    this.preferences = null;
    this.rest = null;
    this.words = { ...EN, ...EXTRAS_EN };
    this.say = () => undefined;
    this.isSaving = false;
  }

  protected override render(): TemplateResult | typeof nothing {
    const { preferences, words } = this;
    if (preferences === null) return nothing;
    const all = preferences.preferences.filter(isOptional);
    const channels = [...new Set(all.map(({ channel }) => channel))];
    const kinds = [...new Set(all.map(({ kind }) => kind))];
    return html`<form @submit=${this.onSubmit}>
      <table>
        <thead>
          <tr>
            <td></td>
            ${channels.map((channel) => html`<th scope="col">${words.channels[channel] ?? channel}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${kinds.map(
            (kind) =>
              html`<tr>
                <th scope="row">${words.kinds[kind] ?? kind}</th>
                ${channels.map((channel) =>
                  this.cell(all.find((one) => one.kind === kind && one.channel === channel)),
                )}
              </tr>`,
          )}
        </tbody>
      </table>
      <fieldset @input=${requireBoth}>
        <legend>${words.quiet_hours}</legend>
        ${this.hour('from', words.quiet_from)} ${this.hour('to', words.quiet_to)}
      </fieldset>
      <button class="filled" ?disabled=${this.isSaving}>${words.save}</button>
    </form>`;
  }

  private cell(preference: Preference | undefined): TemplateResult {
    if (preference === undefined) return html`<td></td>`;
    const { kind, channel, enabled } = preference;
    const name = `${this.words.kinds[kind] ?? kind}, ${this.words.channels[channel] ?? channel}`;
    return html`<td>
      <label
        ><input type="checkbox" name="${kind} ${channel}" aria-label=${name} ?checked=${enabled}
      /></label>
    </td>`;
  }

  private hour(name: 'from' | 'to', label: string): TemplateResult {
    return html`<label
      >${label}<input type="time" name=${name} .value=${this.preferences?.quiet_hours?.[name] ?? ''}
    /></label>`;
  }

  private readonly onSubmit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const { preferences, rest } = this;
    if (preferences === null || rest === null || this.isSaving) return;
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const [from, to] = [timeOf(form, 'from'), timeOf(form, 'to')];
    this.isSaving = true;
    try {
      this.preferences = await rest.savePreferences({
        ...preferences,
        preferences: preferences.preferences
          .filter(isOptional)
          .map((one) => choiceOf(one, form.has(`${one.kind} ${one.channel}`))),
        quiet_hours: from === '' ? null : { from, to },
      });
      this.say(true);
    } catch {
      this.say(false);
    } finally {
      this.isSaving = false;
    }
  };
}

/** One time without the other is no quiet hours: the browser then reports the empty field. */
function requireBoth({ currentTarget }: Event): void {
  const times = [...(currentTarget as HTMLFieldSetElement).querySelectorAll('input')];
  const isUsed = times.some(({ value }) => value !== '');
  for (const time of times) time.required = isUsed;
}

/** The others answer an act of the person, and cannot be turned off. */
function isOptional(preference: Preference): preference is Preference & Pick<Choice, 'kind'> {
  return !preference.locked;
}

/** Only what the person chose is stored: the rest follows the tenant when that changes. */
function choiceOf(preference: Preference & Pick<Choice, 'kind'>, isChecked: boolean): Choice {
  const { kind, channel, enabled, source } = preference;
  return { kind, channel, enabled: isChecked === enabled && source !== 'user' ? null : isChecked };
}

function timeOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value : '';
}

if (customElements.get('vigie-preferences') === undefined)
  customElements.define('vigie-preferences', PreferencesForm);
