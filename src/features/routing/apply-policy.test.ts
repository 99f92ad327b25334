import { describe, expect, it } from 'vitest';
import { compileGlob } from '../../protocol/glob.ts';
import { applyPolicy, baseUrlOf, type PolicyRules } from './apply-policy.ts';
import { parseCatalog } from './catalog.ts';
import type { LoadedCatalogs } from './load-catalogs.ts';
import { anthProvider, catalogProvider, zaiProvider } from './providers.ts';

const keyOf = (): string => 's3cret';
const anth = anthProvider('https://anth.example', false);
const zai = zaiProvider(
  { baseUrl: 'https://zai.example/base', headerMode: 'x-api-key', forceH1: false },
  keyOf,
);
const [entry] = parseCatalog(
  'c.yaml',
  Buffer.from('providers: [{ id: local, base_url: https://local.example, auth: { env: KEY } }]'),
  { known: new Set(), hasKey: () => true },
).entries;
if (entry === undefined) throw new Error('no entry');
const local = catalogProvider(entry, false, keyOf);

const catalogs: LoadedCatalogs = {
  providers: new Map([anth, zai, local].map((provider) => [provider.id, provider])),
  sources: new Map(),
  routes: [{ glob: 'q-*', matches: compileGlob('q-*'), provider: zai }],
  ignored: [],
};

const rules = (routes: Record<string, string>, upstreams: Record<string, string> = {}): PolicyRules => ({
  routes: Object.entries(routes).map(([glob, provider]) => ({ glob, provider })),
  upstreams: new Map(Object.entries(upstreams)),
});

it('leaves everything as it is without a policy', () => {
  expect(applyPolicy(catalogs, null)).toEqual({
    ...catalogs,
    policyRoutes: [],
    movedFrom: new Map(),
    skipped: [],
  });
});

it('moves providers of its own and of catalogs, with all that leads to them', () => {
  const moved = applyPolicy(
    catalogs,
    rules({ 'x-*': 'zai' }, { zai: 'https://new.example/z/', local: 'https://127.0.0.1:9' }),
  );
  const there = moved.providers.get('zai');
  expect(there).toEqual({ ...zai, origin: 'https://new.example', basePath: '/z' });
  // Decisions compare providers, so each must be there once only.
  expect([moved.routes[0]?.provider, moved.policyRoutes[0]?.provider].every((found) => found === there)).toBe(
    true,
  );
  expect(moved.movedFrom).toEqual(
    new Map([
      ['zai', 'https://zai.example/base'],
      ['local', 'https://local.example'],
    ]),
  );
  expect(moved.skipped).toEqual([]);
});

it('calls nothing moved that is where it was', () => {
  const same = applyPolicy(catalogs, rules({}, { zai: 'https://zai.example/base/' }));
  expect([same.movedFrom.size, same.providers.get('zai')]).toEqual([0, zai]);
});

describe('it skips, and says so,', () => {
  it('what names a provider that is not known here', () => {
    const wired = applyPolicy(
      catalogs,
      rules({ 'a-*': 'nobody', 'b-*': 'local' }, { nowhere: 'https://x.example' }),
    );
    expect(wired.policyRoutes.map(({ glob }) => glob)).toEqual(['b-*']);
    expect(wired.skipped).toEqual([
      'the policy moves "nowhere", which is no provider here: skipped',
      'the policy routes "a-*" to "nobody", which is no provider here: skipped',
    ]);
  });

  it('what would move Anthropic, or move anything to no proper place', () => {
    const wired = applyPolicy(
      catalogs,
      rules({}, { anth: 'https://thief.example', zai: 'http://plain.example' }),
    );
    expect([...wired.providers.values()].map(baseUrlOf)).toEqual(
      [...catalogs.providers.values()].map(baseUrlOf),
    );
    expect(wired.skipped).toEqual([
      'the policy may not move "anth": skipped',
      'the policy may not move "zai": skipped',
    ]);
  });
});
