import { expect, it } from 'vitest';
import { browserCommand, openBrowser } from './open-browser.ts';

const URL_SHOWN = 'http://127.0.0.1:8787/device?user_code=BCDF-GHJK&x=$&';

it.each([
  [{ BROWSER: 'firefox' }, 'linux', ['firefox', URL_SHOWN]],
  [{ BROWSER: 'firefox -P work %s --new-tab' }, 'linux', ['firefox', '-P', 'work', URL_SHOWN, '--new-tab']],
  [{ BROWSER: 'chromium:firefox' }, 'linux', ['chromium', URL_SHOWN]],
  [{ BROWSER: 'firefox' }, 'darwin', ['firefox', URL_SHOWN]],
  [{}, 'darwin', ['open', URL_SHOWN]],
  [{ DISPLAY: ':0' }, 'linux', ['xdg-open', URL_SHOWN]],
  [{ WAYLAND_DISPLAY: 'wayland-0' }, 'linux', ['xdg-open', URL_SHOWN]],
  [{ BROWSER: ' ', DISPLAY: '' }, 'linux', null],
  [{}, 'linux', null],
] as const)('with %j on %s runs %j', (env, platform, command) => {
  expect(browserCommand(URL_SHOWN, env, platform)).toEqual(command);
});

it('says whether it could be started', async () => {
  expect(await openBrowser(URL_SHOWN, { BROWSER: process.execPath.concat(' --version') })).toBe(true);
  expect(await openBrowser(URL_SHOWN, { BROWSER: '/nowhere/browser' })).toBe(false);
});
