/** Reads and checks the scenario files. */
import { readdir, readFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { OperatorError } from '../../errors.ts';
import type { ProviderId } from '../types/world.ts';
import { countsOf } from './counts.ts';
import { type Provider, providerSchema } from './provider.ts';
import { type Scenario, scenarioSchema } from './scenario.ts';
import { createSeeded } from './seeded.ts';
import { fillJson, type Json } from './template.ts';

export interface Scenarios {
  readonly names: readonly string[];
  has(name: string): boolean;
  /** Throws an `OperatorError` that lists what there is. */
  get(name: string): Scenario;
  provider(id: ProviderId): Provider;
}

/** Beside the package's own manifest, whether this runs as source or as built. */
const DEFAULT_FOLDER = join(dirname(findPackageJSON(import.meta.url) ?? '.'), 'fixtures', 'scenarios');

const NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const scenarioFile = z.record(z.string().regex(NAME), scenarioSchema);
const providersFile = z.strictObject({ anth: providerSchema, zai: providerSchema });
const PROVIDERS_FILE = 'providers.yaml';

/**
 * Every `*.yaml` of the folder: `providers.yaml` describes the upstreams, each other file is a family of
 * scenarios by name. Throws an `OperatorError` that names file, place and problem.
 */
export async function loadScenarios(folder: string = DEFAULT_FOLDER): Promise<Scenarios> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml')).toSorted();
  const load = <T>(file: string, schema: z.ZodType<T>): Promise<T> => loadFile(join(folder, file), schema);
  const families = await Promise.all(
    files
      .filter((file) => file !== PROVIDERS_FILE)
      .map(async (file) => ({ file, scenarios: await load(file, scenarioFile) })),
  );
  return catalogue(merge(families), await load(PROVIDERS_FILE, providersFile));
}

function catalogue(
  scenarios: ReadonlyMap<string, Scenario>,
  providers: Readonly<Record<ProviderId, Provider>>,
): Scenarios {
  const names = [...scenarios.keys()];
  const get = (name: string): Scenario => {
    const scenario = scenarios.get(name);
    if (scenario !== undefined) return scenario;
    throw new OperatorError('CONFIG', `there is no scenario "${name}"`, {
      hint: `There are: ${names.join(', ')}.`,
    });
  };
  for (const { defaults, unknown } of Object.values(providers)) {
    for (const name of [unknown, ...defaults.map(({ play }) => play)]) get(name);
  }
  return { names, has: (name) => scenarios.has(name), get, provider: (id) => providers[id] };
}

function merge(
  families: readonly { readonly file: string; readonly scenarios: Readonly<Record<string, Scenario>> }[],
): Map<string, Scenario> {
  const merged = new Map<string, Scenario>();
  for (const { file, scenarios } of families) {
    for (const [name, scenario] of Object.entries(scenarios)) {
      if (merged.has(name)) throw new OperatorError('CONFIG', `${file}: scenario "${name}" exists already`);
      tryPlaceholders(file, name, scenario);
      merged.set(name, scenario);
    }
  }
  return merged;
}

async function loadFile<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(parse(await readFile(path, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new OperatorError('CONFIG', `${path}: ${z.prettifyError(parsed.error)}`);
}

/** A placeholder that nobody knows is found here and not in the middle of a run. */
function tryPlaceholders(file: string, name: string, scenario: Scenario): void {
  const asJson: Json = JSON.parse(JSON.stringify(scenario));
  try {
    fillJson(asJson, {
      requestId: '',
      messageId: '',
      provider: '',
      model: null,
      servedModel: '',
      now: 0,
      seeded: createSeeded(0),
      counts: countsOf('', '', 0),
    });
  } catch (cause) {
    throw new OperatorError('CONFIG', `${file}: scenario "${name}": ${String(cause)}`, { cause });
  }
}
