import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { explain } from './explain.ts';
import { loadScenarios } from './scenarios.ts';

const SHIPPED = fileURLToPath(new URL('../../../fixtures/scenarios/', import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scenarios-'));
  await cp(SHIPPED, folder, { recursive: true });
});
afterAll(() => rm(folder, { recursive: true }));

const withFamily = async (yaml: string): Promise<unknown> => {
  await writeFile(join(folder, 'family.yaml'), yaml);
  return loadScenarios(folder);
};

test('a family beside the shipped ones adds its scenarios', async () => {
  await withFamily('mine: { summary: mine, status: 418 }');
  expect((await loadScenarios(folder)).get('mine')).toMatchObject({ status: 418, body: { kind: 'empty' } });
});

test.each([
  ['an unknown key', 'mine: { summary: s, statsu: 200 }', /family\.yaml: .*Unrecognized key: "statsu"/],
  ['an impossible fault', 'mine: { summary: s, fault: { kind: goaway, at: mid_head } }', /family\.yaml/],
  ['a name that exists already', 'text: { summary: s }', /"text" exists already/],
  ['an unknown placeholder', 'mine: { summary: s, headers: { x: "{{nothing}}" } }', /unknown placeholder/],
  ['an unknown count', 'mine: { summary: s, headers: { x: "{{tokens outptu}}" } }', /unknown token count/],
  ['a name no marker could spell', 'Mine_: { summary: s }', /family\.yaml/],
])('%s is refused, naming the file or the scenario', async (_, yaml, message) => {
  await expect(withFamily(yaml)).rejects.toThrow(message);
});

const scenarios = await loadScenarios();

test('an unknown name is answered with all that there are', () => {
  expect(() => scenarios.get('nothing')).toThrow(
    expect.objectContaining({ code: 'CONFIG', hint: expect.stringContaining('zai-1308-2025') }),
  );
});

// What the wire facts list: a name that goes missing is a behaviour that nobody tests any more.
const STATUSES = [400, 401, 402, 403, 408, 409, 413, 422, 500, 502, 503, 504, 529];
const ZAI_CODES = [
  '401',
  '1001',
  '1113',
  '1210',
  '1211',
  '1214',
  '1261',
  '1301',
  '1302',
  '1305',
  '1308',
  '1310',
].concat('1311', '1313', '1316', '1317', '500');
const LISTED = STATUSES.map((status) => `anth-${status}`)
  .concat(ZAI_CODES.flatMap((code) => [`zai-${code}-2025`, `zai-${code}-2026`]))
  .concat(
    'gzip',
    'br',
    'zstd',
    'deflate',
    'crlf',
    'cr',
    'comments',
    'unknown-events',
    'done-marker',
    'bytes-7',
  );

test.each(LISTED)('%s is played as listed', (name) => {
  const status = /^anth-(\d+)$/.exec(name)?.[1];
  expect(scenarios.get(name)).toMatchObject(status === undefined ? {} : { status: Number(status) });
});

test('docs/scenarios.md lists every scenario with what it does', async () => {
  const lines = scenarios.names.map((name) => {
    const scenario = scenarios.get(name);
    const inWords = explain(scenario).replaceAll('|', String.raw`\|`);
    return `| \`${name}\` | ${scenario.summary} | ${inWords} |`;
  });
  const head = [
    '# Scenarios of the upstream mocks',
    '',
    'Generated: `npx vitest run src/harness/upstream --update`.',
    '',
  ];
  const table = [...head, '| name | what it is | what happens |', '| --- | --- | --- |', ...lines, ''].join(
    '\n',
  );
  await expect(table).toMatchFileSnapshot('../../../docs/scenarios.md');
});
