import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CHECKS } from '../../../analysis/checks/index.ts';
import type { Evidence } from '../../../analysis/evidence.ts';
import { greenNight } from '../../../analysis/testing/green-night.ts';
import type { Mutable } from '../../../analysis/testing/green-run.ts';
import { findBrowser, NO_BROWSER, startBrowser } from '../../../platform/testing/browser.ts';
import { overflow, weakTexts } from '../../../platform/testing/page-audit.ts';
import { recordOf } from '../../judge.ts';
import { readStoredRun } from '../../stored/stored-run.ts';
import { storeGreenRun, temporaryFolder } from '../../testing/stored-green-run.ts';
import { junitXml } from '../junit.ts';
import { type ReportedRun, reportHtml, selftestHtml } from './report-page.ts';

const executable = findBrowser();

/** Kept for people to look at; git ignores the folder. */
const SCREENSHOTS = path.resolve(import.meta.dirname, '../../../../results/screenshots');

const HOSTILE =
  '"></title></script><script>document.title="broken"</script><img src=x onerror="document.title=1">';

/** The same run as if it were a night with deaths of both kinds, and nothing else left of it. */
const nightOf = ({ record, stored }: ReportedRun): ReportedRun => {
  const night = greenNight(({ rounds: [, second] }) => {
    if (second !== undefined) second.deaths = [{ at: second.startedAt, cause: 'itself', backMs: null }];
  });
  return { record, stored: { ...stored, evidence: { ...stored.evidence, night, client: [], upstream: [] } } };
};

describe.skipIf(executable === null)(
  `a report in a browser${executable === null ? ` (${NO_BROWSER})` : ''}`,
  () => {
    let browser: Browser;
    let closeBrowser: () => PromiseLike<void>;
    let parent: Awaited<ReturnType<typeof temporaryFolder>>;
    let context: BrowserContext | undefined;
    let red: ReportedRun;
    const files = { green: '', red: '', hostile: '', matrix: '', night: '' };

    const storedRun = async (alter?: (evidence: Mutable<Evidence>) => unknown): Promise<ReportedRun> => {
      const { folder } = await storeGreenRun(parent.path, alter);
      const stored = await readStoredRun(folder.path);
      return { stored, record: recordOf(stored, CHECKS) };
    };

    beforeAll(async () => {
      const started = await startBrowser(executable ?? '');
      browser = started.browser;
      closeBrowser = () => started[Symbol.asyncDispose]();
      parent = await temporaryFolder();
      await mkdir(SCREENSHOTS, { recursive: true });
      red = await storedRun((evidence) => {
        const [first, , third] = evidence.client;
        if (first?.response !== undefined) first.response.status = 201;
        third?.response?.headers.push(['x-odd', HOSTILE]);
        evidence.usage.bad = [{ line: 7, problem: HOSTILE }];
      });
      const outcomes = Object.fromEntries(
        CHECKS.map(({ id }, index) => [id, index % 7 === 0 ? 'fail' : 'pass'] as const),
      );
      const saboteurs = CHECKS.map(({ id }, index) => ({
        name: `saboteur-${index}`,
        breaks: 'one thing of many',
        suite: 'repro-go-quick',
        expected: { [id]: 'fail' as const },
        killedBy: index > 0 ? [id] : [],
        killed: index > 0,
        outcomes: { ...outcomes, [id]: index > 0 ? ('fail' as const) : ('pass' as const) },
      }));
      const matrix = { seed: '5eed', full: false, ok: false, known: ['untouched'], control: [], saboteurs };
      const pages = {
        green: reportHtml(await storedRun()),
        red: reportHtml({ ...red, matrix }),
        hostile: reportHtml({ ...red, record: { ...red.record, suite: HOSTILE, title: HOSTILE } }),
        matrix: selftestHtml(matrix),
        night: reportHtml(nightOf(red)),
      };
      for (const name of ['green', 'red', 'hostile', 'matrix', 'night'] as const) {
        files[name] = path.join(parent.path, `${name}.html`);
        await writeFile(files[name], pages[name]);
      }
    }, 60_000);
    afterEach(() => context?.close());
    afterAll(async () => {
      await closeBrowser();
      await parent[Symbol.asyncDispose]();
    });

    /** A window without scripts; what the page asks for beside itself, and what the browser complains about, is collected. */
    async function open(
      name: keyof typeof files,
      options: BrowserContextOptions = {},
    ): Promise<{ page: Page; complaints: string[]; requests: string[] }> {
      context = await browser.newContext({
        javaScriptEnabled: false,
        viewport: { width: 1280, height: 900 },
        ...options,
      });
      const page = await context.newPage();
      const complaints: string[] = [];
      const requests: string[] = [];
      page.on('console', (message) => void complaints.push(message.text()));
      page.on('pageerror', (error) => void complaints.push(error.message));
      page.on('request', (request) => void requests.push(request.url()));
      await page.goto(pathToFileURL(files[name]).href);
      return { page, complaints, requests };
    }

    const keep = (page: Page, name: string): Promise<unknown> =>
      page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`) });
    const unfold = (page: Page): Promise<unknown> =>
      page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');

    it('names a failure on the first screen, without scripts', async () => {
      const { page, complaints } = await open('red');
      const seen = page.getByText('the status arrived changed').first();
      expect((await seen.boundingBox())?.y).toBeLessThan(900);
      expect(await page.getByRole('heading', { level: 1 }).innerText()).toMatch(/^Fail/);
      await keep(page, 'report-red');
      expect(complaints).toEqual([]);
    });

    it('filters checks and exchanges without scripts', async () => {
      const { page } = await open('red');
      const passed = page.locator('tr[data-outcome="pass"]').first();
      const failed = page.locator('tr[data-outcome="fail"]').first();
      expect([await passed.isVisible(), await failed.isVisible()]).toEqual([true, true]);
      await page.getByRole('radio', { name: /^fail \d/ }).check();
      expect([await passed.isVisible(), await failed.isVisible()]).toEqual([false, true]);
      const sound = page.locator('.one:not(.found)').first();
      expect(await sound.isVisible()).toBe(true);
      await page.getByRole('radio', { name: /^with findings/ }).check();
      expect(await sound.isVisible()).toBe(false);
    });

    it('unfolds the exchange that a link leads to', async () => {
      const { page } = await open('red');
      // The one that starts unfolded tells nothing.
      await page.evaluate('for (const one of document.querySelectorAll("details[open]")) one.open = false');
      const inside = page.locator('#x1');
      expect(await inside.isVisible()).toBe(false);
      await page.locator('a[href="#x1"]').first().click();
      await inside.waitFor({ state: 'visible' });
      expect(await inside.getByText('What each witness saw').isVisible()).toBe(true);
    });

    it('is reached with the keyboard alone, and shows where one is', async () => {
      const { page } = await open('red');
      await page.keyboard.press('Tab');
      expect(await page.locator(':focus').innerText()).toBe('Skip to the findings');
      expect((await page.locator(':focus').boundingBox())?.y).toBeGreaterThanOrEqual(0);
      await page.keyboard.press('Enter');
      expect(await page.locator(':focus').getAttribute('id')).toBe('main');
      const reached = new Set<string>();
      for (let steps = 0; steps < 400; steps += 1) {
        await page.keyboard.press('Tab');
        const at = await page.evaluate<string | null>(`(() => {
          const element = document.activeElement;
          if (element === document.body) return null;
          const shown = element.matches('input') ? element.nextElementSibling : element;
          const { outlineStyle, outlineWidth } = getComputedStyle(shown);
          const kind = element.localName + (element.type ? ' ' + element.type : '') + (element.closest('.exchanges') ? ' of exchanges' : '');
          return outlineStyle === 'none' || outlineWidth === '0px' ? 'unseen ' + element.outerHTML.slice(0, 120) : kind;
        })()`);
        if (at === null) break;
        reached.add(at);
      }
      expect([...reached].filter((one) => one.startsWith('unseen'))).toEqual([]);
      expect([...reached]).toEqual(
        expect.arrayContaining([
          'a',
          'input radio',
          'input radio of exchanges',
          'summary of exchanges',
          'pre of exchanges',
          'div',
        ]),
      );
    });

    it('moves a filter with the arrows and unfolds with Enter', async () => {
      const { page } = await open('red');
      await page.getByRole('radio', { name: /^all/ }).first().focus();
      await page.keyboard.press('ArrowRight');
      expect(await page.locator('tr[data-outcome="pass"]').first().isVisible()).toBe(false);
      const closed = page.locator('.one:not(.found) > details').first();
      await closed.locator('summary').first().focus();
      await page.keyboard.press('Enter');
      expect(await closed.getAttribute('open')).not.toBeNull();
    });

    it.each(['green', 'red', 'hostile', 'matrix', 'night'] as const)(
      '%s: fits a phone, unfolded too',
      async (name) => {
        const { page } = await open(name, { viewport: { width: 390, height: 844 } });
        await keep(page, `report-${name}-phone`);
        await unfold(page);
        const { by, element } = await overflow(page);
        expect(by, element).toBe(0);
      },
    );

    it.each([
      ['green', 'light'],
      ['green', 'dark'],
      ['red', 'light'],
      ['red', 'dark'],
      ['matrix', 'dark'],
      ['night', 'light'],
      ['night', 'dark'],
    ] as const)('%s, %s: all text stands out from what is behind it', async (name, colorScheme) => {
      const { page } = await open(name, { colorScheme });
      await unfold(page);
      await keep(page, `report-${name}-${colorScheme}`);
      expect(await weakTexts(page)).toEqual([]);
    });

    it.each(['green', 'red', 'matrix', 'night'] as const)(
      '%s: is built so that a reader of pages finds its way',
      async (name) => {
        const { page } = await open(name);
        const found = await page.evaluate(`(() => {
          const all = (selector) => [...document.querySelectorAll(selector)];
          const levels = all('h1, h2, h3, h4, h5, h6').map((one) => Number(one.localName[1]));
          const ids = all('[id]').map((one) => one.id);
          const missing = (name) => (one) => document.getElementById(one.getAttribute(name).replace('#', '')) === null;
          return {
            landmarks: all('header, main').map((one) => one.localName),
            leaps: levels.filter((level, at) => level > (levels[at - 1] ?? 0) + 1),
            nameless: all('table').filter((one) => !one.caption).map((one) => one.outerHTML.slice(0, 80)),
            unscoped: all('th:not([scope])').length,
            twice: ids.filter((id, at) => ids.indexOf(id) !== at),
            dead: all('a[href^="#"]').filter(missing('href')).map((one) => one.outerHTML),
            unlabelled: all('[aria-labelledby]').filter(missing('aria-labelledby')).length,
          };
        })()`);
        expect(found).toEqual({
          landmarks: ['header', 'main'],
          leaps: [],
          nameless: [],
          unscoped: 0,
          twice: [],
          dead: [],
          unlabelled: 0,
        });
      },
    );

    it.each(['red', 'night'] as const)(
      '%s: is printed without its buttons, and with nothing cut off',
      async (name) => {
        // What a sheet of A4 has between its margins.
        const { page } = await open(name, { viewport: { width: 720, height: 1000 } });
        await page.emulateMedia({ media: 'print' });
        expect(await page.getByRole('radio').first().isVisible()).toBe(false);
        expect(await page.locator('nav').isVisible()).toBe(false);
        const { by, element } = await overflow(page);
        expect(by, element).toBe(0);
        await keep(page, `report-${name}-print`);
      },
    );

    it('says in words what its drawings show', async () => {
      const { page } = await open('green');
      await unfold(page);
      const drawings = await page.getByRole('img').all();
      expect(drawings.length).toBeGreaterThan(5);
      for (const drawing of drawings) expect(await drawing.getAttribute('aria-label')).toMatch(/\w.{20,}\d/s);
    });

    it('asks nobody for anything, and cannot', async () => {
      let visits = 0;
      const server = createServer((_, response) => {
        visits += 1;
        response.end();
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`;
      // With scripts, so that what tries to get out is stopped by the page's own policy alone.
      const { page, requests } = await open('hostile', { javaScriptEnabled: true });
      expect(requests).toEqual([pathToFileURL(files.hostile).href]);
      const tried = await page.evaluate(`(async () => {
        const image = new Promise((resolve) => {
          const one = new Image();
          one.onerror = () => resolve('refused');
          one.onload = () => resolve('loaded');
          one.src = '${url}image';
          document.body.append(one);
        });
        return [await fetch('${url}').then(() => 'answered', () => 'refused'), await image];
      })()`);
      expect(tried).toEqual(['refused', 'refused']);
      expect(visits).toBe(0);
      server.close();
    });

    it('runs nothing that the evidence says', async () => {
      const { page, complaints } = await open('hostile', { javaScriptEnabled: true });
      expect(await page.title()).toContain('</script><script>');
      expect(await page.locator('script, img').count()).toBe(0);
      expect(complaints).toEqual([]);
    });

    it('has a junit.xml beside it that a parser of XML takes, whatever is in it', async () => {
      const { page } = await open('green', { javaScriptEnabled: true });
      const xml = junitXml({ ...red.record, suite: HOSTILE });
      const read = await page.evaluate(`(() => {
        const document = new DOMParser().parseFromString(${JSON.stringify(xml)}, 'application/xml');
        const count = (name) => document.querySelectorAll(name).length;
        return [count('parsererror'), document.querySelector('testsuites').getAttribute('name'), count('failure')];
      })()`);
      expect(read).toEqual([
        0,
        HOSTILE,
        red.record.checks.filter(({ outcome }) => outcome === 'fail').length,
      ]);
    });
  },
);
