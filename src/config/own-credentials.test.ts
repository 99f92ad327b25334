import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ownCredentials } from './own-credentials.ts';

let home: string;
let config: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'ccp-own-'));
  config = path.join(home, '.config/ccp');
  await mkdir(config, { recursive: true });
});
afterEach(() => rm(home, { recursive: true, force: true }));

const found = (env: NodeJS.ProcessEnv = {}) => ownCredentials({ env, cwd: home, home });

it('has what stands in the environment, in .env and in the settings file, also where another goes before it', async () => {
  await writeFile(
    path.join(config, 'settings.env'),
    'CCP_CLIENT_TOKEN=of-the-file\nZAI_API_KEY=in-the-shade\n',
  );
  await writeFile(path.join(home, '.env'), 'ANTHROPIC_API_KEY=not-trusted\n');
  expect(found({ ZAI_API_KEY: 'of-the-shell', CCP_POLICY_SEED: '', PATH: '/bin' })).toEqual([
    { name: 'ANTHROPIC_API_KEY', value: 'not-trusted' },
    { name: 'CCP_CLIENT_TOKEN', value: 'of-the-file' },
    { name: 'ZAI_API_KEY', value: 'of-the-shell' },
    { name: 'ZAI_API_KEY', value: 'in-the-shade' },
  ]);
});

it('has the keys of the providers in the catalog, also of one that could not be used', async () => {
  await writeFile(path.join(config, 'settings.env'), 'LOCAL_KEY=of-the-catalog\n');
  const entry = '{ id: anth, auth: { env: LOCAL_KEY, odd: 1 } }';
  await writeFile(path.join(config, 'providers.yaml'), `providers: [${entry}, { auth: nothing }, 7]\n`);
  expect(found()).toEqual([{ name: 'LOCAL_KEY', value: 'of-the-catalog' }]);
  await writeFile(path.join(config, 'providers.yaml'), 'providers: 7\n');
  expect(found()).toEqual([]);
  const elsewhere = path.join(home, 'other.yaml');
  await writeFile(elsewhere, `providers: [${entry}]\n`);
  expect(found({ CCP_PROVIDERS_FILE: elsewhere })).toHaveLength(1);
});

it('has the keys of each catalog that lies here, also of one that is not trusted or that another goes before', async () => {
  const names = ['NAMED_KEY', 'LOCAL_KEY', 'USERS_KEY'];
  const paths = [path.join(home, 'other.yaml'), path.join(home, 'configs/providers.yaml')];
  await mkdir(path.join(home, 'configs'));
  for (const [at, file] of [...paths, path.join(config, 'providers.yaml')].entries())
    await writeFile(file, `providers: [{ id: one, auth: { env: ${names[at]} } }]\n`);
  const env = { ...Object.fromEntries(names.map((name) => [name, `of-${name}`])), PATH: '/bin' };
  const keysOf = (more: NodeJS.ProcessEnv): string[] => found({ ...env, ...more }).map(({ name }) => name);
  expect(keysOf({ CCP_PROVIDERS_FILE: paths[0] })).toEqual(names);
  expect(keysOf({})).toEqual(names.slice(1));
});

it('does not go on where it cannot know whose keys there are', async () => {
  await writeFile(path.join(config, 'providers.yaml'), 'providers: [\n');
  expect(() => found()).toThrow(/providers\.yaml:\d+:\d+: it is no YAML/);
});
