import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OperatorError } from '../errors.ts';
import { type LoadedCcp, loadCcpSettings } from './ccp-settings.ts';
import { userFolders } from './folders.ts';
import { openTrustKeeper } from './trust.ts';

let root: string;
let cwd: string;
let home: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ccp-settings-'));
  cwd = join(root, 'project');
  home = join(root, 'home');
  mkdirSync(cwd);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}
const writeDotEnv = (text: string): string => write(join(cwd, '.env'), text);
const writeUserFile = (text: string): string => write(join(home, '.config/ccp/settings.env'), text);

type Given = Partial<Pick<Parameters<typeof loadCcpSettings>[0], 'env' | 'flags'>>;
const load = (given: Given = {}): LoadedCcp => loadCcpSettings({ env: {}, cwd, home, ...given });

function failure(given: Given): OperatorError {
  try {
    load(given);
  } catch (error) {
    if (error instanceof OperatorError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('a name that stands twice', () => {
  it('is warned of with both lines: of two the last counts, and the first is lost without a word', () => {
    const userFile = writeUserFile('CCP_PORT=1\nMY_KEY=a\nCCP_PORT=2\nMY_KEY=b\n');
    const { settings, warnings } = load();
    expect(settings.port).toBe(2);
    expect(warnings).toEqual([
      `${userFile} sets CCP_PORT in lines 1 and 3: only line 3 counts`,
      `${userFile} sets MY_KEY in lines 2 and 4: only line 4 counts`,
    ]);
  });

  it("is nobody's business in a project's .env where it is no setting of ours", () => {
    const dotEnv = writeDotEnv('DATABASE=a\nDATABASE=b\nCCP_PORT=1\nCCP_PORT=2\n');
    expect(load().warnings).toEqual([`${dotEnv} sets CCP_PORT in lines 3 and 4: only line 4 counts`]);
  });
});

describe('precedence', () => {
  it('takes a flag before the environment, .env, the user file and the default', () => {
    expect(load().settings.port).toBe(8082);
    writeUserFile('CCP_PORT=1001');
    expect(load().settings.port).toBe(1001);
    writeDotEnv('CCP_PORT=1002');
    expect(load().settings.port).toBe(1002);
    expect(load({ env: { CCP_PORT: '1003' } }).settings.port).toBe(1003);
    expect(load({ env: { CCP_PORT: '1003' }, flags: { port: '1004' } }).settings.port).toBe(1004);
  });

  it('says where each value came from, by the name that was used there', () => {
    const userFile = writeUserFile('ZAI_HEADER_MODE=authorization');
    const { sources } = load({ env: { MITM_PORT: '1001' }, flags: { host: '::1' } });
    expect(sources.port).toEqual({ kind: 'environment', name: 'MITM_PORT', label: 'environment' });
    expect(sources.host).toMatchObject({ kind: 'flag', name: '--host' });
    expect(sources.zaiHeaderMode).toMatchObject({ kind: 'file', label: userFile });
    expect(sources.maxBody).toMatchObject({ kind: 'default' });
  });

  it('takes the canonical of several names, and any of them in a nearer place', () => {
    expect(load({ env: { MITM_PORT: '3', PORT: '2', CCP_PORT: '1' } }).settings.port).toBe(1);
    writeUserFile('CCP_PORT=1');
    expect(load({ env: { PORT: '2' } }).settings.port).toBe(2);
  });

  it('takes an empty value for none', () => {
    writeUserFile('CCP_PORT=1001');
    expect(load({ env: { CCP_PORT: '', CCP_MODEL: '' } }).settings).toMatchObject({
      port: 1001,
      model: null,
    });
  });

  it('leaves the PORT of a project to its own server', () => {
    writeDotEnv('PORT=3000');
    expect(load().settings.port).toBe(8082);
    expect(load({ env: { PORT: '3000' } }).settings.port).toBe(3000);
  });

  it('never takes ANTHROPIC_BASE_URL for the upstream', () => {
    const { settings } = load({ env: { ANTHROPIC_BASE_URL: 'http://127.0.0.1:8082' } });
    expect(settings.anthropicBaseUrl).toBe('https://api.anthropic.com');
  });

  it('respects absolute XDG folders, and only those', () => {
    const config = join(root, 'xdg');
    write(join(config, 'ccp/settings.env'), 'CCP_PORT=1001');
    expect(load({ env: { XDG_CONFIG_HOME: config } }).settings.port).toBe(1001);
    expect(load({ env: { XDG_STATE_HOME: '/state' } }).paths.stateDir).toBe('/state/ccp/default');
    expect(load({ env: { XDG_STATE_HOME: 'state' } }).paths.stateDir).toBe(
      join(home, '.local/state/ccp/default'),
    );
  });
});

describe('profiles', () => {
  it('give dev a port and logs of its own', () => {
    const { settings, paths, sources } = load({ env: { CCP_PROFILE: 'dev' } });
    expect(settings).toMatchObject({ port: 8182, logsDir: join(cwd, 'logs/dev') });
    expect(paths.controlToken).toBe(join(home, '.local/state/ccp/dev/control.token'));
    expect(sources.port.label).toBe('profile dev');
  });

  it('keep the logs of prod in its state folder', () => {
    const { settings } = load({ env: { CCP_PROFILE: 'prod' } });
    expect(settings).toMatchObject({ port: 8082, logsDir: join(home, '.local/state/ccp/prod/logs') });
  });

  it('stand back behind what is set', () => {
    expect(load({ env: { CCP_PROFILE: 'dev', CCP_PORT: '1001' } }).settings.port).toBe(1001);
  });
});

describe('what is not allowed', () => {
  it.each([
    ['CCP_PORT', 'http', '"http"', '65535'],
    ['FORCE_HAIKU_TO_ZAI', 'yes', '"yes"', '0 or 1'],
    ['CCP_JSON_TIMEOUT', '30', '"30"', '250ms'],
    ['CCP_MAX_BODY', '64M', '"64M"', '5MiB'],
    ['CCP_FALLBACK', 'auth,dns', '"auth,dns"', 'auth, limit, overload, net'],
    ['ZAI_HEADER_MODE', 'bearer', '"bearer"', 'x-api-key or authorization'],
    ['CCP_PROFILE', 'staging', '"staging"', 'dev or prod'],
    ['CCP_ANTHROPIC_BASE_URL', 'http://example.com', '"http://example.com"', 'https'],
  ])('%s=%s is refused by name, with the value and what is allowed', (name, value, shown, allowed) => {
    const { exitCode, message, hint } = failure({ env: { [name]: value } });
    expect(exitCode).toBe(2);
    expect(message).toContain(name);
    expect(message).toContain(shown);
    expect(hint).toContain(allowed);
  });

  it('names the flag where the flag is wrong', () => {
    expect(failure({ flags: { port: 'x' } }).message).toContain('--port');
  });

  it('takes plain http to loopback only', () => {
    const url = 'http://127.0.0.1:9000/base';
    expect(load({ env: { CCP_ZAI_BASE_URL: url } }).settings.zaiBaseUrl).toBe(url);
  });

  it('never shows the password of a URL', () => {
    const { message } = failure({ env: { CCP_ZAI_BASE_URL: 'https://me:hunter2@example.com' } });
    expect(message).not.toContain('hunter2');
  });

  it('refuses a listener that others can reach, unless clients must carry a token', () => {
    expect(failure({ env: { CCP_HOST: '0.0.0.0' } }).message).toContain('CCP_CLIENT_TOKEN');
    const { settings } = load({ env: { CCP_HOST: '0.0.0.0', CCP_CLIENT_TOKEN: 'letmein' } });
    expect(settings.host).toBe('0.0.0.0');
  });

  it('warns of a CCP_ name that is none, with the nearest that is', () => {
    expect(load({ env: { CCP_PROT: '1' } }).warnings).toEqual([
      'CCP_PROT (environment) is not a setting; did you mean CCP_PORT?',
    ]);
    expect(load({ env: { CCP_SOMETHING_ELSE_ALTOGETHER: '1' } }).warnings).toEqual([
      'CCP_SOMETHING_ELSE_ALTOGETHER (environment) is not a setting',
    ]);
  });

  it('accepts MITM_FILTER_CHAIN with one warning', () => {
    expect(load({ env: { MITM_FILTER_CHAIN: '1' } }).warnings).toEqual([expect.stringContaining('obsolete')]);
  });
});

describe('a working directory of somebody else', () => {
  const HOSTILE =
    'CCP_ZAI_BASE_URL=https://evil.example\nZAI_API_KEY=theirs\nCCP_HOST=0.0.0.0\nCCP_SSE_IDLE_TIMEOUT=1m\n';

  it('sets harmless settings only, and what it sets in vain is named with the remedy', () => {
    const path = writeDotEnv(HOSTILE);
    const { settings, secrets, warnings } = load();
    expect(settings).toMatchObject({
      sseIdleTimeout: 60_000,
      zaiBaseUrl: 'https://api.z.ai/api/anthropic',
      host: '127.0.0.1',
    });
    expect(secrets.get('ZAI_API_KEY')).toBeNull();
    expect(warnings).toHaveLength(1);
    for (const part of ['CCP_ZAI_BASE_URL', 'ZAI_API_KEY', 'CCP_HOST', `ccp trust ${path}`]) {
      expect(warnings[0]).toContain(part);
    }
  });

  it('counts once its .env is trusted, and no more when that file changes', () => {
    const path = writeDotEnv('ZAI_API_KEY=mine\n');
    openTrustKeeper(userFolders({}, home), (folder) => mkdirSync(folder, { recursive: true })).trust(path);
    expect(load().secrets.get('ZAI_API_KEY')).toBe('mine');
    expect(load().warnings).toEqual([]);
    writeDotEnv('ZAI_API_KEY=theirs\n');
    const { secrets, warnings } = load();
    expect(secrets.get('ZAI_API_KEY')).toBeNull();
    expect(warnings[0]).toContain('changed since it was trusted');
  });

  it('cannot make the program wait for a pipe', () => {
    execFileSync('sh', ['-c', 'mkfifo .env'], { cwd });
    expect(load().settings.port).toBe(8082);
  });
});

describe('secrets', () => {
  it('come from the environment before the user file, and from any variable that a catalog names', () => {
    writeUserFile('ZAI_API_KEY=from-file\nLOCAL_KEY=local');
    const { secrets } = load({ env: { ZAI_API_KEY: 'from-env' } });
    expect(secrets.get('ZAI_API_KEY')).toBe('from-env');
    expect(secrets.get('LOCAL_KEY')).toBe('local');
    expect(secrets.get('toString')).toBeNull();
  });

  it('cannot be printed with whatever they travel in', () => {
    const loaded = load({ env: { ZAI_API_KEY: 'c4n4ry', CCP_CLIENT_TOKEN: 'c4n4ry' } });
    expect(loaded.secrets.get('ZAI_API_KEY')).toBe('c4n4ry');
    const { settings, secrets, sources, shown, warnings } = loaded;
    const printed = inspect(
      { settings, secrets, sources, shown, warnings },
      { depth: null, showHidden: true },
    );
    expect(printed + JSON.stringify({ settings, secrets, sources, shown, warnings })).not.toContain('c4n4ry');
  });

  it('are refused where they could not be a header, without being shown', () => {
    const { secrets } = load({ env: { ZAI_API_KEY: 'two\nlines' } });
    expect(() => secrets.get('ZAI_API_KEY')).toThrow(
      /^ZAI_API_KEY \(environment\) has a value that is not allowed$/,
    );
  });
});

it('gives settings that nobody can change', () => {
  const { settings } = load();
  expect(Object.isFrozen(settings) && Object.isFrozen(settings.fallback)).toBe(true);
});

describe('a policy', () => {
  const KEY = Buffer.alloc(32, 7).toString('base64');
  const URL = 'https://ops.example/policy.json';

  it('is verified by a key, or the proxy does not start', () => {
    const { exitCode, message, hint } = failure({ env: { CCP_POLICY_URL: URL } });
    expect([exitCode, message]).toEqual([2, `CCP_POLICY_URL is ${URL}, and CCP_POLICY_PUBKEY is not set`]);
    expect(hint).toContain('--policy-pubkey');
    // A key alone is what "ccp policy verify" needs.
    expect(load({ env: { CCP_POLICY_PUBKEY: KEY } }).settings.policyPubkey).toBe(KEY);
  });

  it('takes its key as it is, or as a file by the usual rules for paths', () => {
    const keyOf = (value: string): unknown => load({ flags: { policyPubkey: value } }).settings.policyPubkey;
    expect(keyOf(`ops=${KEY}`)).toBe(`ops=${KEY}`);
    expect(keyOf('keys/policy.pub')).toBe(join(cwd, 'keys/policy.pub'));
    expect(keyOf('~/policy.pub')).toBe(join(home, 'policy.pub'));
  });

  it('keeps its seed among the credentials', () => {
    const { secrets, settings } = load({ env: { CCP_POLICY_SEED: KEY } });
    expect(secrets.get('CCP_POLICY_SEED')).toBe(KEY);
    expect(inspect(settings, { depth: null })).not.toContain(KEY);
  });

  it('is cached with the logs of the profile', () => {
    expect(load({ env: { CCP_PROFILE: 'dev' } }).paths.policyCache).toBe(
      join(cwd, 'logs/dev/policy-cache.json'),
    );
  });
});
