import { configurationWarnings, publicUrl } from '../../platform/config/config.js';
import { nearMisses } from '../../platform/config/near-misses.js';
import { shownSettings } from '../../platform/config/shown.js';
import { startNotices } from '../../platform/start/notices.js';
import type { DoctorContext } from './context.js';
import { fault, type Finding, note, ok, warning } from './finding.js';

const PAGE = 'docs/configuration.md lists every setting, its type and its default';

/** Values that cannot be read, or contradict each other; misspelled names. */
export async function checkConfiguration(context: DoctorContext): Promise<Finding[]> {
  const { config, configFaults, environment, notStarted } = context;
  const written = shownSettings(config).filter(({ source }) => source !== 'default').length;
  const faults = [
    ...configFaults.map((sentence) => fault(sentence, PAGE)),
    ...nearMisses(Object.keys(environment)).map((sentence) =>
      warning(sentence, 'Rename the variable, or remove it'),
    ),
  ];
  return Promise.resolve([
    ...(faults.length > 0 ? faults : [ok(`${written} settings are set, and all are valid`)]),
    ...(notStarted === null ? [] : [note(notStarted)]),
  ]);
}

/** Addresses in mails that their readers cannot open. */
export async function checkLinks({ config }: DoctorContext): Promise<Finding[]> {
  const local = configurationWarnings(config).map((sentence) =>
    fault(
      sentence.replace(/: set VIGIE_PUBLIC_URL$/, ''),
      'Set VIGIE_PUBLIC_URL to the address at which people reach Vigie, such as https://vigie.example.com',
    ),
  );
  const plain = startNotices(config, null, [])
    .filter(({ event }) => event === 'plain_http')
    .map(() =>
      warning(
        'other machines reach this server without encryption',
        'Put a reverse proxy with TLS in front of it, and set TRUST_PROXY and VIGIE_PUBLIC_URL=https://…',
      ),
    );
  const found = [...local, ...plain];
  return Promise.resolve(found.length > 0 ? found : [ok(`links in mails begin with ${publicUrl(config)}`)]);
}
