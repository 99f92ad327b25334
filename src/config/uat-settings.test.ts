import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadUatSettings } from './uat-settings.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ccp-uat-settings-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

it('keeps real providers off and the folders under the working directory by default', () => {
  const { settings, warnings } = loadUatSettings({ env: {}, cwd: root, home: root });
  expect(settings).toEqual({
    logsDir: join(root, 'logs'),
    resultsDir: join(root, 'results'),
    timeoutSecs: null,
    smokeLanes: ['anthropic', 'zai'],
    useLicenseLogin: false,
    allowRealApi: false,
  });
  expect(warnings).toEqual([]);
});

it('does not let a folder allow what costs money', () => {
  writeFileSync(join(root, '.env'), 'ALLOW_REAL_API=1\nTIMEOUT_SECS=7\n');
  const { settings, warnings } = loadUatSettings({ env: {}, cwd: root, home: root });
  expect(settings).toMatchObject({ allowRealApi: false, timeoutSecs: 7 });
  expect(warnings).toEqual([expect.stringContaining('ALLOW_REAL_API')]);
});

it("warns of slips and leaves the proxy's variables alone", () => {
  const env = { CCP_RESULT_DIR: 'x', CCP_PORT: '8082', CCP_ZAI_BASE_URL: 'https://example.com' };
  const { warnings } = loadUatSettings({ env, cwd: root, home: root });
  expect(warnings).toEqual([expect.stringContaining('did you mean CCP_RESULTS_DIR?')]);
});
