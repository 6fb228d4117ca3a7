import type { ApiClient } from '../../../web/client/api-client.js';
import { TemplateState } from '../../../web/console/settings/template-state.js';

it('V10: own words are not deleted while they are being saved, and the page learns that', async () => {
  const part = { adapted: true, source: 'x', built_in: '', written_by: null, updated_at: null, broken: null };
  const view = { parts: { title: part, body: part, text: part, html: part }, fields: [] };
  let answer: (view: object) => void = () => undefined;
  const saved = new Promise((resolve) => (answer = resolve));
  const deleted: string[] = [];
  const api = {
    get: () => Promise.resolve({ ...view, data: null }),
    post: () => Promise.resolve({}),
    put: () => saved,
    delete: (path: string) => Promise.resolve(void deleted.push(path)),
  };
  const state = new TemplateState(api as unknown as ApiClient, 'deadline_near', 'fr');
  await state.load();
  state.edit('title', 'y');
  const saving = state.save();
  expect(await state.reset()).toBe(false);
  expect(deleted).toEqual([]);
  answer(view);
  expect(await saving).toBe(true);
  expect(await state.reset()).toBe(true);
  expect(deleted).toHaveLength(1);
});
