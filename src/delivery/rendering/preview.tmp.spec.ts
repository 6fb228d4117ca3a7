import { writeFileSync, mkdirSync } from 'node:fs';
import { TemplateStore } from './template-store.js';
import { SAMPLES, inputFor } from './samples.tmp.js';
test('preview', async () => {
  const store = await TemplateStore.load('templates');
  mkdirSync('/tmp/mail', { recursive: true });
  for (const locale of ['fr', 'en'] as const)
    for (const name of Object.keys(SAMPLES)) {
      const m = store.render(inputFor(name, locale));
      writeFileSync(`/tmp/mail/${locale}-${name}.html`, m.html);
      writeFileSync(`/tmp/mail/${locale}-${name}.txt`, `Subject: ${m.subject}\n\n${m.text}`);
    }
  const t = performance.now();
  for (let i = 0; i < 2000; i++) store.render(inputFor('deadline', 'fr'));
  console.log('per mail ms', (performance.now() - t) / 2000);
});
