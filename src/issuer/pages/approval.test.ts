import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemRandom } from '../../platform/random.ts';
import { findBrowser, NO_BROWSER, startBrowser } from '../../platform/testing/browser.ts';
import { createIssuerClient } from '../client/issuer-client.ts';
import { loginByLoopback } from '../client/loopback-login.ts';
import { CODES, type IssuerWorld, startIssuer } from '../testing/issuer-world.ts';

const executable = findBrowser();

describe.skipIf(executable === null)(
  `the approval page in a browser${executable === null ? ` (${NO_BROWSER})` : ''}`,
  () => {
    let browser: Browser;
    let closeBrowser: () => PromiseLike<void>;
    let world: IssuerWorld;
    let context: BrowserContext;
    beforeAll(async () => {
      const started = await startBrowser(executable ?? '');
      browser = started.browser;
      closeBrowser = () => started[Symbol.asyncDispose]();
    });
    afterAll(() => closeBrowser());
    beforeEach(async () => {
      world = await startIssuer();
    });
    afterEach(async () => {
      await context.close();
      await world[Symbol.asyncDispose]();
    });

    /** A tab; whatever the browser complains about is collected. */
    async function open(
      path: string,
      options: BrowserContextOptions = {},
    ): Promise<{ page: Page; complaints: string[] }> {
      context = await browser.newContext(options);
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => void complaints.push(message.text()));
      page.on('pageerror', (error) => void complaints.push(error.message));
      await page.goto(path.startsWith('http') ? path : `${world.url}${path}`);
      return { page, complaints };
    }

    async function startDevice(): Promise<{ userCode: string; poll: () => Promise<unknown> }> {
      const { json } = await world.post('/v1/device/code', { client_id: 'ccp' });
      const grant_type = 'urn:ietf:params:oauth:grant-type:device_code';
      const body = { grant_type, client_id: 'ccp', device_code: json['device_code'] };
      return {
        userCode: String(json['user_code']),
        poll: async () => {
          const reply = await world.post('/v1/device/token', body);
          return reply.status === 200 ? 'licence' : reply.json['error'];
        },
      };
    }

    const heading = (page: Page): Promise<string> => page.getByRole('heading', { level: 1 }).innerText();
    /** Waits for the page with this heading: the one before it stands until the answer is there. */
    const headed = (page: Page, name: string): Promise<void> =>
      page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
    const focused = (page: Page): Promise<string | null> => page.locator(':focus').getAttribute('id');

    it('is filled in and approved with the keyboard alone, with scripts turned off', async () => {
      const { userCode, poll } = await startDevice();
      const { page, complaints } = await open('/device', { javaScriptEnabled: false });
      expect(await focused(page)).toBe('user_code');
      await page.keyboard.type(userCode.toLowerCase().replace('-', ''));
      await page.keyboard.press('Tab');
      await page.keyboard.type(CODES.open.toLowerCase());
      await page.keyboard.press('Tab');
      await page.keyboard.type('me@example.com');
      await page.keyboard.press('Enter');
      await headed(page, 'Approved');
      expect(await poll()).toBe('licence');
      expect(complaints).toEqual([]);
    });

    it('has the code of the link, and the focus where something is to be typed', async () => {
      const { userCode } = await startDevice();
      const { page } = await open(`/device?user_code=${userCode}`);
      expect(await page.getByLabel('Code on the device').inputValue()).toBe(userCode);
      expect(await focused(page)).toBe('invite_code');
    });

    it('is denied with the keyboard, without an invite', async () => {
      const { userCode, poll } = await startDevice();
      const { page } = await open(`/device?user_code=${userCode}`);
      expect(await focused(page)).toBe('invite_code');
      for (const control of ['email', 'Approve', 'Deny']) {
        await page.keyboard.press('Tab');
        const [id, text] = await Promise.all([focused(page), page.locator(':focus').innerText()]);
        expect([id, text]).toContain(control);
      }
      await page.keyboard.press('Enter');
      await headed(page, 'Denied');
      expect(await poll()).toBe('access_denied');
    });

    it('says by name, description and alert what each field is and what is wrong with it', async () => {
      const { userCode } = await startDevice();
      const { page } = await open(`/device?user_code=${userCode}`);
      await page.getByLabel('Invite code').fill('NO-SUCH-INVITE');
      await page.getByRole('button', { name: 'Approve' }).click();
      expect(await page.getByRole('alert').innerText()).toBe('No such invite code is known here.');
      expect(await focused(page)).toBe('invite_code');
      const field = page.getByLabel('Invite code');
      expect(await field.getAttribute('aria-invalid')).toBe('true');
      const described = (await field.getAttribute('aria-describedby'))?.split(' ') ?? [];
      const texts = await Promise.all(described.map((id) => page.locator(`#${id}`).innerText()));
      expect(texts.join(' ')).toContain('No such invite code is known here.');
      expect(await page.getByLabel('Code on the device').inputValue()).toBe(userCode);
    });

    it.each(['light', 'dark'] as const)(
      'fits a small screen, can be read and touched in %s colours',
      async (colorScheme) => {
        const { page } = await open('/device?user_code=BCDF-GHJK', {
          colorScheme,
          viewport: { width: 390, height: 844 },
        });
        await page.getByLabel('Invite code').fill('NO-SUCH-INVITE');
        await page.getByRole('button', { name: 'Approve' }).click();
        await page.getByRole('alert').waitFor();
        const shots = process.env['SCREENSHOTS'];
        if (shots !== undefined) await page.screenshot({ path: join(shots, `approval-${colorScheme}.png`) });
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
        for (const button of await page.getByRole('button').all()) {
          const box = await button.boundingBox();
          expect(box?.height).toBeGreaterThanOrEqual(44);
        }
        const [card, text, hint, wrong, main] = await Promise.all([
          colour(page, 'main', 'backgroundColor'),
          colour(page, 'h1', 'color'),
          colour(page, '.hint', 'color'),
          colour(page, '.bad', 'color'),
          colour(page, 'button.main', 'backgroundColor'),
        ]);
        for (const ink of [text, hint, wrong]) expect(contrast(ink, card)).toBeGreaterThan(4.5);
        expect(contrast(await colour(page, 'button.main', 'color'), main)).toBeGreaterThan(4.5);
        expect(luminance(card) > 0.5).toBe(colorScheme === 'light');
      },
    );

    it('leads the browser back to the program that asked, and it to a licence', async () => {
      const client = createIssuerClient(world.url, AbortSignal.timeout(20_000));
      const complaints: string[] = [];
      const text = await loginByLoopback(client, {
        random: systemRandom,
        signal: AbortSignal.timeout(20_000),
        async show(url) {
          const tab = await open(url, { javaScriptEnabled: false });
          // Focus comes with the first frame, a moment after the page.
          expect(await focused(tab.page)).toBe('invite_code');
          await tab.page.keyboard.type(CODES.open);
          await tab.page.keyboard.press('Enter');
          await tab.page.waitForURL(/\/callback\?/);
          expect(await heading(tab.page)).toBe('Approved');
          complaints.push(...tab.complaints);
        },
      });
      expect(JSON.parse(text)).toMatchObject({ license: { plan: 'trial' } });
      expect(complaints).toEqual([]);
    });

    it('leads back to an IPv6 address, too, which no policy can name', async (test) => {
      const server = createServer((_request, response) => response.end('<h1>back</h1>'));
      server.on('error', () => {});
      server.listen(0, '::1');
      const listening = await Promise.race([once(server, 'listening'), once(server, 'close')]).then(
        () => true,
        () => false,
      );
      if (!listening) test.skip('this machine has no IPv6');
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const query = new URLSearchParams({
        response_type: 'code',
        client_id: 'ccp',
        redirect_uri: `http://[::1]:${port}/callback`,
        state: 'x'.repeat(43),
        code_challenge: 'A'.repeat(43),
        code_challenge_method: 'S256',
      });
      const { page } = await open(`/authorize?${query.toString()}`);
      await page.getByRole('button', { name: 'Deny' }).click();
      await page.waitForURL(/\/callback\?error=access_denied/);
      expect(await heading(page)).toBe('back');
      server.closeAllConnections();
      server.close();
    });

    it('is shown in nobody’s frame, and takes no form from a page of somebody else', async () => {
      const { userCode, poll } = await startDevice();
      const fields = Object.entries({
        user_code: userCode,
        invite_code: CODES.open,
        answer: 'approve',
        csrf: 'x',
      });
      const evil = createServer((_request, response) => {
        response.setHeader('content-type', 'text/html');
        response.end(`<iframe src="${world.url}/device"></iframe><form method="post" action="${world.url}/device">
        ${fields.map(([name, value]) => `<input name="${name}" value="${value}">`).join('')}<button>Win</button></form>`);
      });
      await once(evil.listen(0, '127.0.0.1'), 'listening');
      const address = evil.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const { page } = await open(`http://127.0.0.1:${port}/`);
      await page.waitForLoadState();
      expect(await page.frameLocator('iframe').getByRole('heading').count()).toBe(0);
      const answered = page.waitForResponse(`${world.url}/device`);
      await page.getByRole('button', { name: 'Win' }).click();
      expect((await answered).status()).toBe(403);
      expect(await poll()).toBe('authorization_pending');
      evil.closeAllConnections();
      evil.close();
    });
  },
);

type Rgb = readonly [number, number, number];

async function colour(page: Page, selector: string, property: string): Promise<Rgb> {
  const text: string = await page.evaluate(
    `getComputedStyle(document.querySelector('${selector}')).${property}`,
  );
  const [r = 0, g = 0, b = 0] = (text.match(/[\d.]+/g) ?? []).map(Number);
  return [r, g, b];
}

/** Of WCAG 2: 1 to 21. */
function contrast(one: Rgb, other: Rgb): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(rgb: Rgb): number {
  const [r, g, b] = rgb.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0);
}
