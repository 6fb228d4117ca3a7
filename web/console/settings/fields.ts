import { html, nothing, type TemplateResult } from 'lit';

/** A labelled field, with its rule in the place of its hint when what was typed is not valid. */
export interface Field {
  /** Unique on the page; its pointer in the request. */
  name: string;
  label: string;
  hint?: string;
  /** Shown if it is not valid. */
  rule: string;
  isInvalid: boolean;
  /** `short`: in a row with others; `half`: beside another one in a dialog. */
  kind?: 'short' | 'wide' | 'half';
}

/** @param isValid whether the text is a value of this field, by the browser's own check */
export type OnInput<Value> = (value: Value, isValid: boolean) => void;

const idOf = (name: string): string => `field${name.replaceAll('/', '-')}`;

function row(field: Field, control: (id: string, describedBy: string) => TemplateResult): TemplateResult {
  const { name, label, hint, rule, isInvalid, kind = '' } = field;
  const id = idOf(name);
  const note = isInvalid ? rule : hint;
  return html`<div class="field ${kind}">
    <label for=${id}>${label}</label>
    ${control(id, `${id}-note`)}
    <small id="${id}-note" class=${isInvalid ? 'critical' : ''} role=${isInvalid ? 'alert' : nothing}
      >${note ?? nothing}</small
    >
  </div>`;
}

export interface TextOptions {
  type?: 'text' | 'time' | 'number' | 'url' | 'date' | 'datetime-local';
  maxlength?: number;
  min?: number | string;
  max?: number | string;
  isRequired?: boolean;
  list?: string;
  /** Checks beyond those of the browser. */
  check?: (text: string) => boolean;
  isMono?: boolean;
}

/** A field of one line. */
export function textField(
  field: Field,
  value: string,
  onInput: OnInput<string>,
  { type = 'text', isRequired = false, check, isMono = false, ...limits }: TextOptions = {},
): TemplateResult {
  return row(
    field,
    (id, describedBy) =>
      html`<input
        id=${id}
        name=${field.name}
        class=${isMono ? 'mono' : ''}
        type=${type}
        dir=${type === 'text' ? 'auto' : nothing}
        autocomplete="off"
        .value=${value}
        ?required=${isRequired}
        maxlength=${limits.maxlength ?? nothing}
        min=${limits.min ?? nothing}
        max=${limits.max ?? nothing}
        list=${limits.list ?? nothing}
        aria-invalid=${field.isInvalid ? 'true' : nothing}
        aria-describedby=${describedBy}
        @input=${(event: Event) => {
          const { value: text, validity } = event.target as HTMLInputElement;
          // Browsers check the length of typed text only, not of text that a script has set.
          const isTooLong = Array.from(text).length > (limits.maxlength ?? Infinity);
          onInput(text, validity.valid && !isTooLong && (check?.(text) ?? true));
        }}
      />`,
  );
}

/** A whole number. @param onInput null: the field is empty, which is valid unless it is required */
export function numberField(
  field: Field,
  value: number | null,
  limits: { min: number; max: number; isRequired?: boolean },
  onInput: OnInput<number | null>,
): TemplateResult {
  return textField(
    field,
    value === null ? '' : String(value),
    (text, isValid) => onInput(text === '' ? null : Number(text), isValid),
    { ...limits, type: 'number', check: (text) => text === '' || /^-?\d{1,9}$/.test(text) },
  );
}

/** Several lines. */
export function linesField(
  field: Field,
  value: string,
  { rows, maxlength, isMono = false }: { rows: number; maxlength: number; isMono?: boolean },
  onInput: (value: string) => void,
): TemplateResult {
  return row(
    field,
    (id, describedBy) =>
      html`<textarea
        id=${id}
        name=${field.name}
        class=${isMono ? 'mono' : ''}
        dir="auto"
        rows=${rows}
        maxlength=${maxlength}
        spellcheck=${isMono ? 'false' : nothing}
        .value=${value}
        aria-invalid=${field.isInvalid ? 'true' : nothing}
        aria-describedby=${describedBy}
        @input=${(event: Event) => onInput((event.target as HTMLTextAreaElement).value)}
      ></textarea>`,
  );
}

/** A choice of one. */
export function choiceField<Value extends string>(
  field: Pick<Field, 'name' | 'label' | 'hint' | 'kind'> & Partial<Field>,
  value: Value,
  choices: readonly (readonly [Value, string])[],
  onChange: (value: Value) => void,
): TemplateResult {
  const change = (event: Event) => {
    const { value: chosen } = event.target as HTMLSelectElement;
    const found = choices.find(([one]) => one === chosen);
    if (found !== undefined) onChange(found[0]);
  };
  const checked: Field = { rule: '', isInvalid: false, ...field };
  return row(
    checked,
    (id, describedBy) =>
      html`<select
        id=${id}
        name=${field.name}
        aria-invalid=${checked.isInvalid ? 'true' : nothing}
        aria-describedby=${describedBy}
        @change=${change}
      >
        ${choices.map(([one, label]) => html`<option value=${one} ?selected=${one === value}>${label}</option>`)}
      </select>`,
  );
}

/** Boxes of which several may be ticked. */
export function boxesField<Value extends string | number>(
  { name, label, rule, isInvalid, hint, kind }: Field,
  values: readonly Value[],
  choices: readonly (readonly [Value, string])[],
  onChange: (values: Value[]) => void,
): TemplateResult {
  const note = `${idOf(name)}-note`;
  return html`<fieldset class="boxes ${kind ?? ''}" aria-describedby=${note}>
    <legend>${label}</legend>
    ${choices.map(
      ([value, text]) =>
        html`<label class="box"
          ><input
            type="checkbox"
            name=${name}
            aria-invalid=${isInvalid ? 'true' : nothing}
            .checked=${values.includes(value)}
            @change=${(event: Event) => {
              const isTicked = (event.target as HTMLInputElement).checked;
              onChange(
                choices
                  .map(([one]) => one)
                  .filter((one) => (one === value ? isTicked : values.includes(one))),
              );
            }}
          />${text}</label
        >`,
    )}
    <small id=${note} class=${isInvalid ? 'critical' : ''} role=${isInvalid ? 'alert' : nothing}
      >${isInvalid ? rule : (hint ?? nothing)}</small
    >
  </fieldset>`;
}

/** Moves the focus to the first field that is not valid. */
export function focusInvalid(root: HTMLElement): void {
  root.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
}
