import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { LOCALES } from '../../src/contracts/locales.js';
import { TemplateStore } from '../../src/wording/template-store.js';
import type { RenderedMail } from '../../src/wording/worded.js';
import { launchBrowser } from '../support/browser.js';
import { READER, type Sample, SAMPLES } from './samples.js';

/**
 * Renders every sample in each locale and takes screenshots: light and dark, on a desktop and on a phone. Writes them
 * to `.pictures/`, with the subject and the text part beside them.
 * Usage: npm run mail-pictures [-- PART_OF_A_NAME …]
 */
const FOLDER = '.pictures';
const WIDTHS = { wide: 700, phone: 360 };
/** The narrowest phone: no screenshot, but nothing may be wider. */
const NARROWEST = 320;
const SCHEMES = ['light', 'dark'] as const;
/** Bytes; Gmail truncates larger mails. */
const GMAIL_CLIP = 102 * 1024;

async function main(parts: readonly string[]): Promise<void> {
  const store = await TemplateStore.load('templates');
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  const chosen = SAMPLES.filter(
    ({ name }) => parts.length === 0 || parts.some((part) => name.includes(part)),
  );
  const browser = await launchBrowser();
  try {
    for (const sample of chosen) {
      for (const locale of LOCALES) {
        const mail = render(store, sample, locale);
        const name = `${sample.name}.${locale}`;
        await writeFile(join(FOLDER, `${name}.txt`), `Subject: ${mail.subject}\n\n${mail.text}`);
        await writeFile(join(FOLDER, `${name}.html`), mail.html);
        const overflowing = await takePictures(browser, mail, name);
        console.log(describe(name, mail, overflowing));
      }
    }
  } finally {
    await browser.close();
  }
}

function render(store: TemplateStore, { items }: Sample, locale: (typeof LOCALES)[number]): RenderedMail {
  const links = { unsubscribe_url: 'https://vigie.cabinet-horizon.fr/unsubscribe/9f86d081' };
  const [first, ...others] = items;
  if (first === undefined) throw new Error('a sample has at least one item');
  const reader = { ...READER, locale };
  return others.length === 0 ? store.itemMail(first, reader, links) : store.bundleMail(items, reader, links);
}

/** @returns the screenshots with content wider than the screen. */
async function takePictures(browser: Browser, { html }: RenderedMail, name: string): Promise<string[]> {
  const overflowing: string[] = [];
  for (const [device, width] of Object.entries(WIDTHS)) {
    for (const colorScheme of SCHEMES) {
      const page = await browser.newPage({ viewport: { width, height: 700 }, colorScheme });
      await page.setContent(html);
      const picture = `${name}.${device}.${colorScheme}.png`;
      await page.screenshot({ path: join(FOLDER, picture), fullPage: true });
      if (await isWiderThan(page, width)) overflowing.push(picture);
      if (device === 'phone') {
        await page.setViewportSize({ width: NARROWEST, height: 700 });
        if (await isWiderThan(page, NARROWEST)) overflowing.push(`${name} at ${NARROWEST}`);
      }
      await page.close();
    }
  }
  return overflowing;
}

async function isWiderThan(page: Page, width: number): Promise<boolean> {
  return (await page.evaluate<number>('document.documentElement.scrollWidth')) > width;
}

function describe(name: string, { html, subject }: RenderedMail, overflowing: readonly string[]): string {
  const bytes = Buffer.byteLength(html);
  const clipped = bytes > GMAIL_CLIP ? ' CLIPPED BY GMAIL' : '';
  const wide = overflowing.length > 0 ? ` OVERFLOWS: ${overflowing.join(', ')}` : '';
  return `${name}: ${subject} (${Math.ceil(bytes / 1024)} kB${clipped})${wide}`;
}

await main(process.argv.slice(2));
