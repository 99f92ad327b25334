import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PlacedFile } from '../../platform/placed-file.ts';
import { createRouting, type Routing, type RoutingOptions } from './routing.ts';

let root: string;
let said: string[];
let open: Routing[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ccp-routing-'));
  said = [];
  open = [];
});
afterEach(async () => {
  for (const routing of open) await routing[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

const say = (text: string): void => void said.push(text);

function catalogAt(name: string): PlacedFile & { save(text: string): void } {
  const path = join(root, name);
  return {
    path,
    required: false,
    read: () => {
      const bytes = bytesOf(path);
      return bytes === null ? { state: 'absent' } : { state: 'used', bytes };
    },
    // The way editors save: a new file over the old one.
    save: (text) => {
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    },
  };
}

const textOf = (path: string): string | null => bytesOf(path)?.toString() ?? null;

function bytesOf(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}

const LICENSED: ReadonlySet<string> = new Set(['zai_offload']);

function start(options: Partial<RoutingOptions> = {}): Routing {
  const modelFile = join(root, 'model');
  const routing = createRouting({
    anthropicBaseUrl: 'https://anth.example',
    zaiBaseUrl: 'https://zai.example/base',
    zaiHeaderMode: 'authorization',
    forceHaikuToZai: true,
    forceH1: false,
    paused: false,
    catalogs: [],
    alsoWatch: [],
    licensed: () => LICENSED,
    override: { model: null, path: modelFile, read: () => textOf(modelFile)?.trim() ?? null },
    keyOf: (name) => (name.startsWith('NO_') ? null : 's3cret'),
    log: { info: say, warn: say, error: say },
    lookEveryMs: 5,
    ...options,
  });
  open.push(routing);
  return routing;
}

function routeOf(routing: Routing, model: string | null): string {
  const { provider, decision } = routing.route({ method: 'POST', path: '/v1/messages', op: 'stream', model });
  return `${provider.id} ${decision}`;
}

const entry = (id: string, extra = ''): string =>
  `  - id: ${id}\n    base_url: https://${id}.example\n    auth: { env: KEY }\n${extra}`;

const HAIKU = 'claude-haiku-4-5';

it('pauses and resumes at run time', () => {
  const routing = start({ paused: true });
  expect([routing.paused(), routeOf(routing, HAIKU)]).toEqual([true, 'anth offload_paused']);
  routing.pause(false);
  expect([routing.paused(), routeOf(routing, HAIKU)]).toEqual([false, 'zai to_zai']);
});

it('decides the same for any number of models, remembered or not', () => {
  const routing = start();
  for (let i = 0; i < 2500; i++) {
    expect(routeOf(routing, `haiku-${i}`)).toBe('zai to_zai');
    expect(routeOf(routing, `sonnet-${i}`)).toBe('anth to_anthropic');
  }
  expect(routeOf(routing, `haiku${'x'.repeat(1e6)}`)).toBe('zai to_zai');
  expect(routeOf(routing, 'haiku-1')).toBe('zai to_zai');
});

describe('the model file', () => {
  it('is followed while the proxy runs, into being and out of it', async () => {
    const routing = start();
    expect(routeOf(routing, 'claude-sonnet-5')).toBe('anth to_anthropic');
    writeFileSync(join(root, 'model'), `${HAIKU}\n`);
    await vi.waitFor(() => expect(routeOf(routing, 'claude-sonnet-5')).toBe('zai manual_override'));
    rmSync(join(root, 'model'));
    await vi.waitFor(() => expect(routeOf(routing, 'claude-sonnet-5')).toBe('anth to_anthropic'));
  });

  it('stands behind CCP_MODEL', () => {
    writeFileSync(join(root, 'model'), 'claude-sonnet-5');
    const { path, read } = { path: join(root, 'model'), read: () => textOf(join(root, 'model')) };
    expect(start({ override: { model: HAIKU, path, read } }).override()).toBe(HAIKU);
  });
});

describe('catalogs', () => {
  it('are followed while the proxy runs; a bad one leaves the old and says why', async () => {
    const catalog = catalogAt('providers.yaml');
    const routing = start({ catalogs: [catalog] });
    expect(routeOf(routing, 'q1')).toBe('anth to_anthropic');

    catalog.save(`providers:\n${entry('local', '    models: [q1]\n')}`);
    await vi.waitFor(() => expect(routeOf(routing, 'q1')).toBe('local to_local'));

    catalog.save(`providers:\n${entry('anth')}`);
    await vi.waitFor(() => expect(said.join('\n')).toContain(`${catalog.path}:2:5: provider "anth"`));
    expect(routeOf(routing, 'q1')).toBe('local to_local');

    catalog.save(`providers:\n${entry('other', '    models: [q1]\n')}`);
    await vi.waitFor(() => expect(routeOf(routing, 'q1')).toBe('other to_other'));
  });

  it('are not told of where what is watched beside them changes, which other files are trusted by', async () => {
    const catalog = catalogAt('providers.yaml');
    const trust = join(root, 'trust.json');
    let reads = 0;
    const read = () => ((reads += 1), catalog.read());
    start({ catalogs: [{ ...catalog, read }], alsoWatch: [trust] });
    const looks = reads;
    writeFileSync(trust, '{}');
    await vi.waitFor(() => expect(reads).toBeGreaterThan(looks));
    catalog.save(`providers:\n${entry('local')}`);
    await vi.waitFor(() => expect(said).toEqual(['provider catalog taken over: anth, zai, local']));
  });

  it('keep the built-in providers the very same objects across a change', async () => {
    const catalog = catalogAt('providers.yaml');
    const routing = start({ catalogs: [catalog] });
    const before = routing.providers();
    catalog.save(`providers:\n${entry('local')}`);
    await vi.waitFor(() => expect(routing.providers()).toHaveLength(3));
    expect(routing.providers().slice(0, 2)).toEqual(before);
    expect(routing.providers()[0]).toBe(before[0]);
  });

  it('refuse to start when one is wrong', () => {
    const catalog = catalogAt('providers.yaml');
    catalog.save(`providers:\n${entry('local').replace('KEY', 'NO_KEY')}`);
    expect(() => start({ catalogs: [catalog] })).toThrow('the variable NO_KEY is not set');
  });

  it('refuse to start when the one that was named is missing', () => {
    const catalog = { ...catalogAt('named.yaml'), required: true };
    expect(() => start({ catalogs: [catalog] })).toThrow(`there is no provider catalog ${catalog.path}`);
  });

  it('count in order: an earlier file wins entry by entry and glob by glob, and may use the later', () => {
    const near = catalogAt('near.yaml');
    const far = catalogAt('far.yaml');
    near.save(`routes: { a*: far, b*: zai }\nproviders:\n${entry('both')}`);
    far.save(
      `routes: { b*: far, c*: both }\nproviders:\n${entry('far')}${entry('both').replace('both.ex', 'x.ex')}`,
    );
    const routing = start({ catalogs: [near, far] });
    expect(['a1', 'b1', 'c1'].map((model) => routeOf(routing, model))).toEqual([
      'far to_far',
      'zai to_zai',
      'both to_both',
    ]);
    expect(routing.describe().find(({ id }) => id === 'both')).toMatchObject({
      base_url: 'https://both.example',
      source: near.path,
    });
  });

  it('that do not count are named with the remedy, and change nothing', () => {
    const ignored: PlacedFile = {
      path: join(root, 'foreign.yaml'),
      required: false,
      read: () => ({ state: 'ignored', why: 'foreign.yaml is not trusted' }),
    };
    expect(start({ catalogs: [ignored] }).providers()).toHaveLength(2);
    expect(said).toEqual(['foreign.yaml is not trusted']);
  });
});

it('describes the wiring without a key in it', () => {
  const catalog = catalogAt('providers.yaml');
  catalog.save(
    `routes: { glm-*: zai }\nproviders:\n${entry('local', '    h2: false\n    models: [q*]\n    rewrite_model: { qwen: qwen-9 }\n')}`,
  );
  const rows = start({ catalogs: [catalog] }).describe();
  expect(rows).toEqual([
    {
      id: 'anth',
      lane: 'anthropic',
      base_url: 'https://anth.example',
      moved_from: null,
      policy_routes: [],
      auth: null,
      h2: true,
      routes: ['*'],
      fallback: [],
      feature: null,
      licensed: true,
      rewrite_model: {},
      source: 'built in',
    },
    {
      id: 'zai',
      lane: 'zai',
      base_url: 'https://zai.example/base',
      moved_from: null,
      policy_routes: [],
      auth: { env: 'ZAI_API_KEY', set: true, header_mode: 'authorization' },
      h2: true,
      routes: ['glm-*', '*haiku*'],
      fallback: ['anth'],
      feature: 'zai_offload',
      licensed: true,
      rewrite_model: {},
      source: 'built in',
    },
    {
      id: 'local',
      lane: 'local',
      base_url: 'https://local.example',
      moved_from: null,
      policy_routes: [],
      auth: { env: 'KEY', set: true, header_mode: 'x-api-key' },
      h2: false,
      routes: ['q*'],
      fallback: [],
      feature: null,
      licensed: true,
      rewrite_model: { qwen: 'qwen-9' },
      source: catalog.path,
    },
  ]);
  expect(JSON.stringify(rows)).not.toContain('s3cret');
});

it('asks at each request what the licence grants', () => {
  let licensed = LICENSED;
  const routing = start({ licensed: () => licensed });
  expect(routeOf(routing, 'claude-haiku-4-5')).toBe('zai to_zai');
  licensed = new Set();
  expect(routing.describe().find(({ id }) => id === 'zai')).toMatchObject({ licensed: false });
  expect(routeOf(routing, 'claude-haiku-4-5')).toBe('anth license_block');
  licensed = LICENSED;
  expect(routeOf(routing, 'claude-haiku-4-5')).toBe('zai to_zai');
});

it('forces HTTP/1.1 on every provider', () => {
  expect(
    start({ forceH1: true })
      .providers()
      .some(({ h2 }) => h2),
  ).toBe(false);
});

describe('a policy', () => {
  const rules = (routes: Record<string, string>, upstreams: Record<string, string> = {}) => ({
    routes: Object.entries(routes).map(([glob, provider]) => ({ glob, provider })),
    upstreams: new Map(Object.entries(upstreams)),
  });
  const hostOf = (routing: Routing, model: string): string =>
    routing.route({ method: 'POST', path: '/v1/messages', op: 'stream', model }).provider.origin;

  it('routes from the moment that it is applied, and no longer once it is taken back', () => {
    const routing = start();
    expect(routeOf(routing, 'glm-5')).toBe('anth to_anthropic');
    routing.applyPolicy(rules({ 'glm-*': 'zai', [HAIKU]: 'anth' }));
    expect([routeOf(routing, 'glm-5'), routeOf(routing, HAIKU)]).toEqual(['zai to_zai', 'anth to_anthropic']);
    expect(routing.explicitRoute('glm-5')?.id).toBe('zai');
    routing.applyPolicy(null);
    expect([routeOf(routing, 'glm-5'), routeOf(routing, HAIKU)]).toEqual(['anth to_anthropic', 'zai to_zai']);
  });

  it('moves where Z.AI is, for the default rule and the override too, and says loudly where the key goes', () => {
    const routing = start();
    routing.applyPolicy(rules({}, { zai: 'https://moved.example/z' }));
    expect(hostOf(routing, HAIKU)).toBe('https://moved.example');
    const notice =
      'the policy moves provider zai from https://zai.example/base to https://moved.example/z: ZAI_API_KEY is sent there';
    expect(said).toEqual([notice]);
    routing.applyPolicy(rules({ 'x-*': 'zai' }, { zai: 'https://moved.example/z' }));
    expect(said).toEqual([notice]);
    routing.applyPolicy(null);
    expect(hostOf(routing, HAIKU)).toBe('https://zai.example');
    // Told anew, because it is new again.
    routing.applyPolicy(rules({}, { zai: 'https://moved.example/z' }));
    expect(said).toEqual([notice, notice]);
  });

  it('opens no gate: neither licence nor key nor pause', () => {
    const to = rules({ '*': 'zai' });
    for (const [options, expected] of [
      [{ licensed: () => new Set<string>() }, 'anth license_block'],
      [{ keyOf: () => null }, 'anth no_credential'],
      [{ paused: true }, 'anth offload_paused'],
      [{ forceHaikuToZai: false }, 'anth to_anthropic'],
    ] as const) {
      const routing = start(options);
      routing.applyPolicy(to);
      expect(routeOf(routing, HAIKU)).toBe(expected);
    }
  });

  it('gains a route when the catalog gains its provider, and loses it with it', async () => {
    const catalog = catalogAt('providers.yaml');
    const routing = start({ catalogs: [catalog] });
    routing.applyPolicy(rules({ 'q-*': 'local' }, { local: 'https://moved.example' }));
    expect(said.filter((line) => line.endsWith('which is no provider here: skipped'))).toHaveLength(2);
    catalog.save(`providers:\n${entry('local')}`);
    await vi.waitFor(() => expect(routeOf(routing, 'q-1')).toBe('local to_local'));
    expect(hostOf(routing, 'q-1')).toBe('https://moved.example');
    catalog.save('');
    await vi.waitFor(() => expect(routeOf(routing, 'q-1')).toBe('anth to_anthropic'));
  });

  it('is shown with what it routes and what it moved', () => {
    const routing = start();
    routing.applyPolicy(rules({ 'glm-*': 'zai' }, { zai: 'https://moved.example' }));
    expect(routing.describe().find(({ id }) => id === 'zai')).toMatchObject({
      base_url: 'https://moved.example',
      moved_from: 'https://zai.example/base',
      routes: ['*haiku*'],
      policy_routes: ['glm-*'],
    });
    const off = start({ forceHaikuToZai: false });
    off.applyPolicy(rules({ 'glm-*': 'zai' }));
    expect(off.describe().find(({ id }) => id === 'zai')).toMatchObject({ routes: [], policy_routes: [] });
  });
});
