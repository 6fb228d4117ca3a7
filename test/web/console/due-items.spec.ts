import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchBrowser } from '../../support/browser.js';
import { addPerson, addTenant, type Person } from '../../support/cast.js';
import { until } from '../../support/until.js';
import { createWorld, type World } from '../../support/world.js';
import {
  axeViolations,
  contrastFaults,
  focused,
  type ConsoleTab,
  openConsole,
  overflow,
  signInByCookie,
  tabTo,
} from '../support/console-page.js';

const DAY_MS = 86_400_000;
/** A civil date this many days from now. */
const day = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);

let world: World;
let browser: Browser;
let url: string;
let context: BrowserContext;
let tab: ConsoleTab;
let person: Person;
let slug: string;

beforeAll(async () => {
  world = await createWorld();
  await world.app.listen(0, '127.0.0.1');
  url = (await world.app.getUrl()).replace(/\/$/, '');
  browser = await launchBrowser();
}, 60_000);
beforeEach(async () => {
  // Each test has its own tenant: its lists contain only its own items.
  const tenant = await addTenant(world, { time_zone: 'UTC' });
  slug = tenant.slug;
  person = await addPerson(world, tenant.id, { name: 'Marie' });
  await newContext();
});
afterEach(async () => {
  await context.close();
  expect(tab.faults).toEqual([]);
});
afterAll(async () => {
  await browser.close();
  await world.close();
});

async function newContext(options: Parameters<Browser['newContext']>[0] = {}): Promise<void> {
  context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    locale: 'fr-FR',
    acceptDownloads: true,
    ...options,
  });
  context.setDefaultTimeout(10_000);
}

async function open(path: string): Promise<Page> {
  await signInByCookie(context, url, { email: person.email, password: person.password, tenant: slug });
  tab = await openConsole(context, url, path);
  return tab.page;
}

async function create(
  title: string,
  due_on: string,
  fields: object = {},
  path = 'deadlines',
): Promise<string> {
  const { status, body } = await world.http('POST', `/api/v1/${path}`, {
    token: person.token,
    body: { title, due_on, ...fields },
  });
  expect(status).toBe(201);
  return (body as { id: string }).id;
}

const titles = (page: Page) => page.locator('table.list tbody tr:not(.row-group) th.main a').allInnerTexts();
const groups = (page: Page) => page.locator('tr.row-group').allInnerTexts();
const shown = (page: Page, expected: string[]) =>
  until(`the rows ${expected.join(', ')}`, async () => (await titles(page)).join() === expected.join());
const ended = (id: string) =>
  world
    .sql<{ ended: boolean }>('SELECT completed_at IS NOT NULL AS ended FROM deadlines WHERE id = $1', [id])
    .then(([row]) => row?.ended);
const say = (page: Page, text: string | RegExp) => page.locator('.toasts').getByText(text).waitFor();

describe('V20: the list of due items', () => {
  it('groups by date, client or person; filters and order are in the address; back and forward follow', async () => {
    await create('TVA', day(-3), { client_name: 'Martin', responsible_id: person.id });
    await create('CFE', day(0), { client_name: 'Évreux' });
    await create('IS', day(1), { client_name: 'Martin' });
    await create('Relevé', day(2), {}, 'documents');
    const page = await open('/due-items');
    await shown(page, ['TVA', 'CFE', 'IS']);
    expect(await groups(page)).toEqual(['En retard', 'Aujourd’hui', 'Demain']);
    await until('the counts', async () =>
      /Échéances\s*3\s*Documents\s*1\s*Tâches\s*0/.test(await page.locator('.kind-tabs').first().innerText()),
    );
    await page.getByRole('link', { name: 'Par client' }).click();
    await shown(page, ['CFE', 'TVA', 'IS']);
    expect(await groups(page)).toEqual(['Évreux', 'Martin']);
    expect(page.url()).toContain('sort=client_name');
    await page.getByRole('link', { name: 'Par personne' }).click();
    await shown(page, ['CFE', 'IS', 'TVA']);
    expect(await groups(page)).toEqual(['Sans responsable', 'Marie']);
    await page.goBack();
    await shown(page, ['CFE', 'TVA', 'IS']);
    await page.goForward();
    await shown(page, ['CFE', 'IS', 'TVA']);
    await page.getByLabel('Titre ou client').fill('evreux');
    await shown(page, ['CFE']);
    await until('the address', () => Promise.resolve(page.url().includes('q=evreux')));
    await page.reload();
    await shown(page, ['CFE']);
    await page.getByRole('link', { name: 'Documents' }).click();
    await page.getByText('Rien ne correspond à ces filtres.').waitFor();
    await page.getByRole('link', { name: 'Effacer les filtres' }).click();
    await shown(page, ['Relevé']);
  });

  it('the search of the frame counts the matches of all kinds', async () => {
    await create('Bilan Durand', day(1));
    await create('Relevé Durand', day(1), {}, 'documents');
    await create('Appeler Durand', day(1), {}, 'tasks');
    const page = await open('/account');
    await page.getByRole('searchbox', { name: /Rechercher une échéance/ }).fill('durand');
    await page.keyboard.press('Enter');
    await shown(page, ['Bilan Durand']);
    await until('the counts', async () =>
      /Échéances\s*1\s*Documents\s*1\s*Tâches\s*1/.test(await page.locator('.kind-tabs').first().innerText()),
    );
  });

  it('completes in the row, at once; a double click acts once; the undo reopens', async () => {
    const id = await create('TVA', day(-1));
    const page = await open('/due-items');
    // The row changes before the server has answered; then the list is read again without it.
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    await page.route('**/complete', async (route) => {
      await held;
      await route.fallback();
    });
    await page.getByRole('button', { name: 'C’est fait : TVA' }).dblclick();
    await page.getByRole('button', { name: 'Rouvrir : TVA' }).waitFor();
    goOn();
    await say(page, 'TVA : terminé.');
    await until('the end', async () => (await ended(id)) === true);
    await page.getByRole('button', { name: 'Annuler' }).click();
    await page.getByRole('button', { name: 'C’est fait : TVA' }).waitFor();
    await until('the reopening', async () => (await ended(id)) === false);
    // A failed request restores the row.
    await page.route('**/complete', (route) => route.abort());
    await page.getByRole('button', { name: 'C’est fait : TVA' }).click();
    await say(page, 'Le serveur ne répond pas.');
    await page.getByRole('button', { name: 'C’est fait : TVA' }).waitFor();
  });

  it('ends all matches after a confirmation with their number, and refuses if it has changed', async () => {
    for (let n = 0; n < 60; n += 1) await create(`TVA ${n}`, day(n));
    const page = await open('/due-items?q=tva');
    await page.getByText('50 sur 60').waitFor();
    await page.getByLabel('Sélectionner tout ce qui est affiché').check();
    await page.getByRole('button', { name: 'Sélectionner les 60 résultats' }).click();
    await create('TVA de plus', day(3));
    await page.getByRole('region', { name: '60 sélectionnés' }).getByRole('button', { name: 'Fait' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Terminer 60 éléments ?').waitFor();
    await dialog.getByRole('button', { name: 'Fait' }).click();
    await say(page, /La liste a changé entre-temps/);
    await page.getByText('50 sur 61').waitFor();
    expect(
      await world.sql('SELECT FROM deadlines WHERE completed_at IS NOT NULL AND tenant_id = $1', [
        person.tenant_id,
      ]),
    ).toHaveLength(0);
    await page.getByRole('region', { name: '61 sélectionnés' }).getByRole('button', { name: 'Fait' }).click();
    await dialog.getByRole('button', { name: 'Fait' }).click();
    await say(page, '61 éléments terminés.');
    await page.getByText('Rien ne correspond à ces filtres.').waitFor();
  });

  it('V20: at 360 px, as at 400 % zoom, all are selected and the order is changed', async () => {
    await world.sql(
      `INSERT INTO deadlines (tenant_id, title, due_on, client_name)
       SELECT $1, 'TVA ' || n, current_date + n, 'Client ' || n FROM generate_series(1, 60) n`,
      [person.tenant_id],
    );
    await context.close();
    await newContext({ viewport: { width: 360, height: 780 } });
    const page = await open('/due-items?q=tva');
    await page.getByText('50 sur 60').waitFor();
    await page.getByRole('link', { name: 'Client', exact: true }).click();
    await page.locator('th[aria-sort=ascending]', { hasText: 'Client' }).waitFor();
    await page.getByLabel('Sélectionner tout ce qui est affiché').check();
    await page.getByRole('button', { name: 'Sélectionner les 60 résultats' }).click();
    await page.getByRole('region', { name: '60 sélectionnés' }).getByRole('button', { name: 'Fait' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Terminer 60 éléments ?').waitFor();
    expect(await overflow(page)).toBe(0);
    await dialog.getByRole('button', { name: 'Annuler' }).click();

    // The daily path of a member: completes an item, adds one, finds one.
    await page.getByRole('button', { name: 'C’est fait : TVA 1', exact: true }).click();
    await say(page, 'TVA 1 : terminé.');
    await page.getByRole('button', { name: 'Ajouter une échéance' }).click();
    await dialog.getByLabel(/^Titre/).fill('Liasse');
    await dialog.getByLabel(/^Pour le/).fill(day(4));
    expect(await overflow(page)).toBe(0);
    await dialog.getByRole('button', { name: 'Enregistrer' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await page.getByRole('searchbox', { name: /Rechercher une échéance/ }).fill('liasse');
    await page.keyboard.press('Enter');
    await shown(page, ['Liasse']);
    await page.getByRole('link', { name: 'Liasse' }).click();
    await page.getByRole('heading', { level: 1, name: 'Liasse' }).waitFor();
    expect(await overflow(page)).toBe(0);
  });

  it('a document is received in its row once by a double click, and the undo awaits it again', async () => {
    const id = await create('Relevé', day(2), {}, 'documents');
    const isReceived = async () =>
      (await world.http('GET', `/api/v1/documents/${id}`, { token: person.token })).body.received_at !== null;
    const page = await open('/due-items?kind=documents');
    await shown(page, ['Relevé']);
    const posts: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST') posts.push(new URL(request.url()).pathname);
    });
    await page.getByRole('button', { name: 'C’est reçu : Relevé' }).dblclick();
    await say(page, 'Relevé : terminé.');
    expect(posts).toEqual([`/api/v1/documents/${id}/receive`]);
    expect(await isReceived()).toBe(true);
    // The list is read again without it: the undo is in the message.
    await page.getByRole('button', { name: 'Annuler' }).click();
    await until('the reopening', async () => !(await isReceived()));
    await page.getByRole('button', { name: 'C’est reçu : Relevé' }).waitFor();
  });

  it('with a slow server, shows a skeleton at once, sends an act once, and allows leaving the page', async () => {
    const id = await create('TVA', day(-1));
    let goOn = (): void => undefined;
    const hold = async () => {
      const held = new Promise<void>((resolve) => (goOn = resolve));
      await context.route('**/api/v1/deadlines**', async (route) => {
        await held;
        // The page may have been left.
        await route.fallback().catch(() => undefined);
      });
    };
    const release = async () => {
      goOn();
      await context.unrouteAll({ behavior: 'wait' });
    };
    await hold();
    const page = await open('/due-items');
    const posts: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST' && /complete$/.test(request.url())) posts.push(request.url());
    });
    await page.locator('main .skeleton').waitFor();
    await page.getByRole('button', { name: 'Ajouter une échéance' }).waitFor();
    await release();
    await shown(page, ['TVA']);
    await hold();
    await page.getByRole('button', { name: 'C’est fait : TVA' }).dblclick();
    await page.getByRole('button', { name: 'Rouvrir : TVA' }).waitFor();
    expect(posts).toHaveLength(1);
    await page.getByRole('navigation').getByRole('link', { name: 'Alertes' }).click();
    await page.getByRole('heading', { level: 1, name: 'Alertes' }).waitFor();
    await release();
    await until('the end', async () => (await ended(id)) === true);
    expect(posts).toHaveLength(1);
  });

  it('rows stay while the network is down, and are current again after a retry', async () => {
    await create('TVA', day(1));
    const page = await open('/due-items');
    await shown(page, ['TVA']);
    await page.getByText('En direct').waitFor();
    await context.setOffline(true);
    const again = () => page.evaluate(`document.querySelector('vigie-console').context.live.changed()`);
    await again();
    await page.getByRole('alert').getByText('Le serveur ne répond pas.').waitFor();
    await page.getByText('Connexion perdue').waitFor();
    expect(await titles(page)).toEqual(['TVA']);
    await create('IS', day(2));
    await context.setOffline(false);
    await page.getByRole('button', { name: 'Réessayer' }).click();
    await shown(page, ['TVA', 'IS']);
    await until('no failure', async () => (await page.getByRole('alert').count()) === 0);
    await page.getByText('En direct').waitFor();
  });

  it('follows what another tab of the browser changes, and the title counts what is left', async () => {
    await create('TVA', day(-2), { responsible_id: person.id });
    await create('IS', day(-1), { responsible_id: person.id });
    const page = await open('/due-items');
    const other = await openConsole(context, url, '/due-items');
    await shown(page, ['TVA', 'IS']);
    await shown(other.page, ['TVA', 'IS']);
    await until('the title', async () => (await page.title()).startsWith('(2) '));
    await page.getByRole('button', { name: 'C’est fait : TVA' }).click();
    // Each tab reads again by itself after 60 s, which is longer than these waits.
    await shown(other.page, ['IS']);
    for (const each of [page, other.page])
      await until('the title', async () => (await each.title()).startsWith('(1) '));
    await page.getByRole('button', { name: 'Rouvrir : TVA' }).waitFor();
    expect(other.faults).toEqual([]);
  });

  it('saves a CSV of what is shown', async () => {
    await create('=1+1', day(1), { client_name: 'Cœur & Fils' });
    const page = await open('/due-items');
    await shown(page, ['=1+1']);
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: 'CSV de ce qui est affiché' }).click();
    const file = readFileSync(await (await saving).path(), 'utf8');
    expect(file).toContain(`"${day(1)}";"'=1+1";"Cœur & Fils"`);
  });

  it('a month counts each day, and each number leads to its list', async () => {
    await create('TVA', day(0));
    await create('CFE', day(0));
    const done = await create('IS', day(0));
    await world.http('POST', `/api/v1/deadlines/${done}/complete`, { token: person.token });
    const page = await open('/due-items?view=month');
    const open2 = page.locator('td.is-today').getByRole('link', { name: /2 en cours$/ });
    await open2.waitFor();
    await page
      .locator('td.is-today')
      .getByRole('link', { name: /1 terminée$/ })
      .waitFor();
    await open2.click();
    await shown(page, ['TVA', 'CFE']);
    await page.goBack();
    await page.locator('.month-head').getByRole('link', { name: '1 terminée' }).click();
    await shown(page, ['IS']);
    await page.goBack();
    // While the next month loads, its totals are unknown, not zero.
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    await page.route('**/deadlines/days?*', async (route) => {
      await held;
      await route.fallback();
    });
    await page.getByRole('link', { name: 'Mois suivant' }).click();
    const total = (text: string) => page.locator('.month-head').getByRole('link', { name: text }).waitFor();
    await total('… en cours');
    goOn();
    await total('0 en cours');
    await page.getByRole('link', { name: 'Ce mois-ci' }).click();
    await open2.waitFor();
  });
});

describe('V20: an item', () => {
  it('is added and edited, with errors at their fields', async () => {
    await create('autre', day(9), { external_id: 'A-1' });
    const page = await open('/due-items');
    await page.getByRole('button', { name: 'Ajouter une échéance' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Enregistrer' }).click();
    await dialog.getByText('De 1 à 300 caractères.').waitFor();
    expect(await page.evaluate('document.activeElement.name')).toBe('title');
    await dialog.getByLabel(/^Titre/).fill('TVA');
    await dialog.getByLabel(/^Pour le/).fill(day(4));
    await dialog.getByLabel('Responsable').selectOption({ label: 'Marie' });
    await dialog.getByLabel('Référence dans votre logiciel').fill('A-1');
    await dialog.getByRole('button', { name: 'Enregistrer' }).click();
    await dialog
      .getByText('Au plus 200 caractères, différents de la référence d’un autre élément.')
      .waitFor();
    expect(await page.evaluate('document.activeElement.name')).toBe('external_id');
    await dialog.getByLabel('Référence dans votre logiciel').fill('A-2');
    await dialog.getByRole('button', { name: 'Enregistrer' }).dblclick();
    await shown(page, ['TVA', 'autre']);
    await page.getByRole('link', { name: 'TVA' }).click();
    await page.getByRole('heading', { level: 1, name: 'TVA' }).waitFor();
    await page.getByText('Aucune alerte sur cet élément.').waitFor();
    await page.getByRole('button', { name: 'Modifier' }).click();
    expect(await dialog.getByLabel(/^Titre/).inputValue()).toBe('TVA');
    await dialog.getByLabel(/^Titre/).fill('TVA d’avril');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'TVA d’avril' }).waitFor();
    await page.getByRole('button', { name: 'Supprimer' }).click();
    await dialog.getByRole('button', { name: 'Supprimer' }).click();
    await shown(page, ['autre']);
  });

  it('is found by the link in a mail, with its alerts', async () => {
    const id = await create('TVA', day(2));
    await world.sql(
      `INSERT INTO alerts (tenant_id, kind, severity, source_type, source_id, dedupe_key, data, first_seen_at, last_seen_at)
       VALUES ($1, 'deadline_near', 'warning', 'deadline', $2, $3, $4, now(), now())`,
      [person.tenant_id, id, `deadline:${id}`, { title: 'TVA', due_on: day(2) }],
    );
    const page = await open(`/items/deadline/${id}`);
    await page.getByRole('heading', { level: 1, name: 'TVA' }).waitFor();
    expect(page.url()).toBe(`${url}/due-items/deadlines/${id}`);
    await page.getByRole('row', { name: /TVA.*Ouverte/s }).waitFor();
  });

  it('with an unknown id is reported as not found', async () => {
    const page = await open('/due-items/deadlines/01890a5d-ac96-774b-bcce-b302099a8057');
    await page.getByRole('alert').getByText('Cet élément n’existe pas, ou n’existe plus.').waitFor();
  });
});

const CSV =
  'Échéancier\r\nObligation;À rendre le;Dossier;N°\r\n' +
  `TVA;24/04/2027;Cœur & Fils;A-1\r\nIS;15/05/2027;;B-2\r\nCFE;31/02/2027;;B-3\r\n;15/05/2027;;B-4\r\n`;

describe('V20: the import of a file', () => {
  const choose = async (page: Page, content: string | Buffer, name = 'échéances.csv') => {
    await page
      .locator('input[type=file]')
      .setInputFiles({ name, mimeType: '', buffer: Buffer.from(content) });
    await page.getByRole('button', { name: 'Lire le fichier' }).click();
  };

  it('names columns, shows errors by line and the difference, and applies it once', async () => {
    await create('Ancienne TVA', '2027-04-15', { external_id: 'A-1' });
    await create('Absente', '2027-04-15', { external_id: 'Z-9' });
    const page = await open('/due-items/import');
    await choose(page, Buffer.from(CSV.replace('œ', '\x9c'), 'latin1'));
    await page.getByText('Aucune colonne pour : Échéance.').waitFor();
    await page.getByText('Lu en windows-1252 ; l’en-tête est à la ligne 2.').waitFor();
    await page.getByLabel('Champ : À rendre le').selectOption('due_on');
    await page.getByRole('button', { name: 'Comparer avec l’existant' }).click();
    await page
      .getByText(
        'Échéance : doit être un jour qui existe, écrit JJ/MM/AAAA ; la cellule contient « 31/02/2027 »',
      )
      .waitFor();
    await page.getByText('Titre : manque').waitFor();
    await page.getByRole('button', { name: /Modifiées/ }).click();
    await page.locator('del', { hasText: 'Ancienne TVA' }).waitFor();
    await page.getByRole('button', { name: /Absentes/ }).click();
    await page.getByRole('link', { name: 'Absente' }).waitFor();
    expect(await world.sql(`SELECT FROM deadlines WHERE tenant_id = $1`, [person.tenant_id])).toHaveLength(2);
    // The comparison has its own address.
    await page.reload();
    await page.getByText('Titre : manque').waitFor();
    await page.getByRole('button', { name: 'Appliquer 2 changements' }).dblclick();
    await page.getByText('1 créées, 1 modifiées, 0 inchangées.').waitFor();
    await page.getByText('2 lignes en erreur sont ignorées.').waitFor();
    await page.getByRole('link', { name: 'Aller à la liste' }).click();
    await shown(page, ['Absente', 'TVA', 'IS']);
  });

  it('shows progress while a file is sent, while it is read, and while it is compared', async () => {
    const page = await open('/due-items/import');
    await choose(page, 'titre;échéance\nTVA;2027-04-24\n');
    let release = () => {};
    const held = new Promise<void>((done) => (release = done));
    await page.route('**/deadlines/import*', async (route) => {
      await held;
      await route.fallback();
    });
    await page.getByRole('button', { name: 'Comparer avec l’existant' }).click();
    const progress = page.getByRole('progressbar', { name: 'Lecture du fichier…' });
    await progress.waitFor();
    expect(await progress.getAttribute('max')).toBeNull();
    // The server has received half of the file: the page polls this row.
    await world.sql(
      `INSERT INTO imports (tenant_id, kind, format, bytes_total, bytes, lines, lease_until, created_by, created_at)
       VALUES ($1, 'deadlines', 'csv', 2000000, 1000000, 12000, now() + interval '1 hour', $2, now())`,
      [person.tenant_id, `user:${person.id}`],
    );
    await page.getByText(/1\sMo reçus, 12\s000 lignes lues/).waitFor();
    expect(await progress.evaluate((bar) => [bar.max, bar.value])).toEqual([2_000_000, 1_000_000]);
    await world.sql(`UPDATE imports SET state = 'comparing' WHERE tenant_id = $1`, [person.tenant_id]);
    await page.getByText('Les lignes sont comparées avec l’existant…').waitFor();
    await world.sql(`UPDATE imports SET state = 'failed', finished_at = now() WHERE tenant_id = $1`, [
      person.tenant_id,
    ]);
    release();
    await page.getByRole('button', { name: 'Appliquer 1 changement' }).waitFor();
    expect(await page.getByRole('progressbar').count()).toBe(0);
  });

  it('says why a file is refused, goes back, and discards', async () => {
    const page = await open('/due-items/import?kind=tasks');
    await choose(page, Buffer.from('PK\x03\x04 a workbook'), 'a.xlsx.csv');
    await page.getByText('Ce fichier ne peut pas être importé.').waitFor();
    await choose(page, '{"title": "T", "due_on": "2027-05-15"}\n', 'a.ndjson');
    await page.getByRole('button', { name: 'Appliquer 1 changement' }).waitFor();
    await page.goBack();
    await page.getByRole('button', { name: 'Lire le fichier' }).waitFor();
    await page.goForward();
    await page.getByRole('button', { name: 'Abandonner' }).click();
    await page.getByRole('button', { name: 'Lire le fichier' }).waitFor();
    await until(
      'nothing staged',
      async () =>
        (await world.sql(`SELECT FROM imports WHERE state = 'staged' AND tenant_id = $1`, [person.tenant_id]))
          .length === 0,
    );
  });
});

it('V20: the daily path by keyboard alone', async () => {
  const id = await create('TVA', day(-1));
  await create('IS', day(1));
  const page = await open('/due-items');
  await shown(page, ['TVA', 'IS']);
  await tabTo(page, /C’est fait\s: TVA/);
  await page.keyboard.press('Enter');
  await until('the end', async () => (await ended(id)) === true);
  // The focus stays where it was.
  await until('the focus on the act that undoes it', async () => /Rouvrir\s: TVA/.test(await focused(page)));
  await tabTo(page, /Modifier\s: IS/);
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await until('the focus is back', async () => /Modifier\s: IS/.test(await focused(page)));
});

describe('V20: the pages of due items', () => {
  const HOSTILE = `<img src=x onerror=alert(1)>\u202egnp.${'x'.repeat(120)}`;

  it.each([360, 1280])(
    'at %i px: axe finds nothing in light and dark, nothing scrolls sideways, hostile text is text',
    async (width) => {
      await context.close();
      await newContext({ viewport: { width, height: 780 } });
      const id = await create(HOSTILE, day(1), {
        client_name: 'y'.repeat(200),
        category: 'z'.repeat(50),
        description: `<script>alert(1)</script>${'w'.repeat(1_000)}`,
        responsible_id: person.id,
      });
      const page = await open('/due-items');
      const look = async (name: string, ready: () => Promise<unknown>) => {
        await ready();
        expect([name, await axeViolations(page), await overflow(page)]).toEqual([name, [], 0]);
        expect([name, await contrastFaults(page, 'dark')]).toEqual([name, []]);
        await page.emulateMedia({ colorScheme: 'light' });
      };
      await look('list', () => page.getByRole('button', { name: /^C’est fait/ }).waitFor());
      expect(await page.locator('img[src=x]').count()).toBe(0);
      await page.getByLabel(/^Sélectionner </).check();
      await look('selection', () => page.getByRole('region', { name: /1 sélectionné/ }).waitFor());
      await page.getByRole('button', { name: /^Modifier/ }).click();
      await look('form', () => page.getByRole('dialog').getByLabel('Client').waitFor());
      await page.keyboard.press('Escape');
      await page.getByRole('link', { name: 'Mois' }).click();
      await look('month', () => page.locator('table.month').waitFor());
      await page.goto(`${url}/due-items/deadlines/${id}`);
      await look('detail', () => page.getByText('Aucune alerte').waitFor());
      await page.goto(`${url}/due-items/import`);
      await look('file', () => page.locator('input[type=file]').waitFor());
      await page.locator('input[type=file]').setInputFiles({
        name: 'a.csv',
        mimeType: 'text/csv',
        buffer: Buffer.from(`titre;échéance;x\n${HOSTILE};2027-05-15;\n;2027-05-15;\n`),
      });
      await page.getByRole('button', { name: 'Lire le fichier' }).click();
      await look('columns', () => page.getByRole('button', { name: 'Comparer avec l’existant' }).waitFor());
      await page.getByRole('button', { name: 'Comparer avec l’existant' }).click();
      await look('errors', () => page.getByText('Titre : manque').waitFor());
      await page.getByRole('button', { name: /^Nouvelles/ }).click();
      await look('difference', () => page.getByText('gnp.').first().waitFor());
    },
  );
});
