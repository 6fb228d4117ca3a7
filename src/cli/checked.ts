import { plainToInstance } from 'class-transformer';
import { validate, type ValidationError } from 'class-validator';
import { UsageError } from './exit-codes.js';

/** The command line's options, by the API's names of the fields. */
const OPTIONS: Readonly<Record<string, string>> = {
  name: '--name',
  kind: '--kind',
  time_zone: '--time-zone',
  locale: '--locale',
  email: '--admin',
  admin_name: '--admin-name',
  slug: 'the slug',
};

/** Applies the API's rules. @throws UsageError that names the options. */
export async function checked<Form extends object>(
  form: new () => Form,
  fields: object,
  names: Readonly<Record<string, string>> = {},
): Promise<Form> {
  const instance = plainToInstance(form, fields);
  const faults = await validate(instance, { whitelist: true, forbidNonWhitelisted: true });
  if (faults.length > 0) throw new UsageError(faults.map((fault) => sentence(fault, names)).join('\n'));
  return instance;
}

function sentence(
  { property, constraints = {} }: ValidationError,
  names: Readonly<Record<string, string>>,
): string {
  const name = names[property] ?? OPTIONS[property] ?? property;
  const [words = 'is not valid'] = Object.values(constraints);
  return words.startsWith(property) ? `${name}${words.slice(property.length)}` : `${name}: ${words}`;
}
