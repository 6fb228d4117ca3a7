import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AUDIENCES } from '../../src/contracts/audiences.js';
import { LOCALES } from '../../src/contracts/locales.js';
import {
  REASON_CODES,
  reasonDeclaration,
  REASONS,
  SETTING_PATHS,
  settingPath,
  STEPS,
} from '../../src/contracts/reasons.js';
import { filesUnder, ROOT } from './sources.js';

const wordsIn = (locale: string) =>
  JSON.parse(readFileSync(join(ROOT, 'templates', locale, 'reasons.json'), 'utf8')) as Record<string, string>;

describe('the table of reasons', () => {
  it.each(LOCALES)('E13: has words for each reason in %s, and no others', (locale) => {
    const words = wordsIn(locale);
    expect(Object.keys(words)).toEqual(REASON_CODES);
    expect(Object.values(words).filter((text) => text.trim() === '')).toEqual([]);
    // No two reasons read the same.
    expect(new Set(Object.values(words)).size).toBe(REASON_CODES.length);
  });

  it('E13: is in the order of the steps, and has a reason to end or wait at every step but bundling', () => {
    const places = REASON_CODES.map((code) => STEPS.indexOf(REASONS[code].step));
    expect(places).toEqual([...places].sort((one, other) => one - other));
    const stops = STEPS.filter((step) =>
      REASON_CODES.some((code) => REASONS[code].step === step && REASONS[code].outcome !== 'continues'),
    );
    expect(stops).toEqual(STEPS.filter((step) => step !== 'bundle'));
  });

  it('E13: has the audiences as reasons, as they are stored', () => {
    expect(AUDIENCES.filter((audience) => reasonDeclaration(audience)?.step !== 'recipient')).toEqual([]);
  });

  it('E13: uses each setting, and links only to pages of the console', () => {
    const used = REASON_CODES.flatMap((code) => REASONS[code].setting ?? []);
    expect(new Set(used)).toEqual(new Set(Object.keys(SETTING_PATHS)));
    const pages = [
      ...readFileSync(join(ROOT, 'web/console/pages.ts'), 'utf8').matchAll(/^ {4}path: '([^']+)'/gm),
    ].map(([, path = '']) => new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`));
    const isPage = (path: string) => pages.some((page) => page.test(path.split(/[?#]/, 1)[0] ?? ''));
    expect(Object.values(SETTING_PATHS).filter((path) => !isPage(path))).toEqual([]);
    const sections = filesUnder('web/console/settings').map((file) => readFileSync(join(ROOT, file), 'utf8'));
    const missing = Object.values(SETTING_PATHS).filter((path) => {
      const [, section] = path.split('#');
      return section !== undefined && !sections.some((text) => text.includes(`id="${section}"`));
    });
    expect(missing).toEqual([]);
  });

  it('E13: fills the ids into a path, and links nowhere without them', () => {
    expect(settingPath('no_address', { user_id: 'a/b' })).toBe('/people/a%2Fb');
    expect(settingPath('no_address', { user_id: null })).toBeNull();
    expect(settingPath('not_due_yet', {})).toBe('/settings#stages');
    expect(settingPath('addressed', { user_id: 'a' })).toBeNull();
  });
});
