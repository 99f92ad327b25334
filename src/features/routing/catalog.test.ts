import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseCatalog } from './catalog.ts';

const parse = (written: string | Buffer, keys: readonly string[] = ['KEY']) =>
  parseCatalog('providers.yaml', Buffer.from(written), {
    known: new Set(['anth', 'zai']),
    hasKey: (name) => keys.includes(name),
  });

const ENTRY = `providers:
  - id: local
    base_url: https://local.example/base
    auth: { env: KEY }
`;

it('is refused in another encoding, in which a glob would match nothing', () => {
  const file = Buffer.from(`${ENTRY}routes: { "café*": local }\n`, 'latin1');
  expect(() => parse(file)).toThrow('providers.yaml:1:1: it is not UTF-8');
});

it('reads an entry with the least that it must say', () => {
  expect(parse(ENTRY).entries).toEqual([
    {
      id: 'local',
      base_url: 'https://local.example/base',
      auth: { env: 'KEY', header_mode: 'x-api-key' },
      models: [],
      routes: {},
      fallback: [],
      drop_headers: [],
      rewrite_model: {},
      feature: null,
      h2: true,
    },
  ]);
});

it('tries routes before models, in the order of the file', () => {
  const { routes } = parse(`${ENTRY}    models: ["m*"]\n    routes: { "r*": anth }\nroutes: { "t*": zai }\n`);
  expect(routes).toEqual([
    { glob: 't*', provider: 'zai' },
    { glob: 'r*', provider: 'anth' },
    { glob: 'm*', provider: 'local' },
  ]);
});

it('reads an empty file as an empty catalog', () => {
  expect(parse('# nothing yet\n')).toEqual({ path: 'providers.yaml', entries: [], routes: [] });
});

it.each([
  [
    'an unknown key',
    `${ENTRY}    base_ulr: x\n`,
    'providers.yaml:5:5: provider "local": base_ulr: unknown key',
  ],
  [
    'an unknown key inside',
    ENTRY.replace('env: KEY', 'env: KEY, x: 1'),
    ':4:23: provider "local": auth.x: unknown key',
  ],
  ['an unknown section', 'provider: []\n', 'providers.yaml:1:1: provider: unknown key'],
  ['no auth', ENTRY.replace(/ +auth.*\n/, ''), ':2:5: provider "local": auth: '],
  [
    'a variable that is not set',
    ENTRY.replace('KEY', 'OTHER'),
    ':4:13: provider "local": the variable OTHER is not set',
  ],
  [
    'plain http to a host',
    ENTRY.replace('https', 'http'),
    ':3:5: provider "local": base_url: must be an https URL',
  ],
  ['the id of Anthropic', ENTRY.replace('local', 'anth'), ':2:5: provider "anth": the id "anth" is reserved'],
  ['the id of Z.AI', ENTRY.replace('local', 'zai'), ':2:5: provider "zai": the id "zai" is reserved'],
  [
    'the lane of Anthropic',
    `${ENTRY}    lane: anthropic\n`,
    ':5: provider "local": the lane "anthropic" is reserved',
  ],
  ['the lane of Anthropic as an id', ENTRY.replace('local', 'anthropic'), 'the lane "anthropic" is reserved'],
  ['an id twice', ENTRY + ENTRY.replace('providers:\n', ''), ':5: provider "local": the id "local" is taken'],
  [
    'an unknown fallback',
    `${ENTRY}    fallback: [zai, zia]\n`,
    ':5:21: provider "local": there is no provider "zia"',
  ],
  ['a fallback on itself', `${ENTRY}    fallback: [local]\n`, 'a provider cannot be its own fallback'],
  [
    'a route to nobody',
    `${ENTRY}routes:\n  a*: zai\n  b*: zia\n`,
    ':7:3: routes: there is no provider "zia"',
  ],
  [
    'two providers for one glob',
    `routes: { "q*": zai }\n${ENTRY}    models: ["Q*"]\n`,
    ':6:14: provider "local": "Q*" leads to both "zai" and "local"',
  ],
  [
    'a glob twice in one map',
    'routes:\n  a*: zai\n  a*: anth\n',
    ':3:3: it is no YAML: Map keys must be unique',
  ],
  ['no YAML', 'providers: [\n', 'providers.yaml:2:1: it is no YAML: '],
  ['aliases that never end', aliasBomb(), 'providers.yaml:1:1: '],
  [
    'a header that is none',
    `${ENTRY}    drop_headers: ["a b"]\n`,
    'drop_headers[0]: must be the name of a header',
  ],
])('refuses %s, by file, line and entry', (_, text, message) => {
  expect(() => parse(text)).toThrow(
    expect.objectContaining({ code: 'CONFIG', message: expect.stringContaining(message) }),
  );
});

it('accepts the example that is shipped', () => {
  const text = readFileSync(new URL('../../../configs/providers.example.yaml', import.meta.url), 'utf8');
  expect(parse(text, ['LOCAL_API_KEY']).entries).toHaveLength(1);
});

function aliasBomb(): string {
  const levels = Array.from({ length: 9 }, (_, level) => {
    const above = level === 0 ? '"x"' : `*l${level - 1}`;
    return `l${level}: &l${level} [${Array.from({ length: 9 }, () => above).join(', ')}]`;
  });
  return levels.join('\n');
}
