/** Routing from loaded settings: the same for the proxy and for the commands that only look. */
import { OperatorError } from '../errors.ts';
import { createRouting, type Routing, type RoutingOptions } from '../features/routing/routing.ts';
import type { LoadedCcp } from './ccp-settings.ts';
import { text } from './kinds.ts';
import { readSmallFile } from './read-small-file.ts';

export type { ProviderRow } from '../features/routing/describe.ts';

/** Throws `CONFIG` where a catalog or the model file can't be used. */
export function openRouting(
  loaded: LoadedCcp,
  log: RoutingOptions['log'],
  licensed: RoutingOptions['licensed'],
  gate?: RoutingOptions['gate'],
): Routing {
  const { settings, secrets, paths, catalogs, trust } = loaded;
  return createRouting({
    anthropicBaseUrl: settings.anthropicBaseUrl,
    zaiBaseUrl: settings.zaiBaseUrl,
    zaiHeaderMode: settings.zaiHeaderMode,
    forceHaikuToZai: settings.forceHaikuToZai,
    forceH1: settings.forceH1,
    paused: settings.offloadPaused,
    catalogs,
    alsoWatch: [trust.path],
    override: { model: settings.model, path: paths.modelFile, read: () => readModelFile(paths.modelFile) },
    keyOf: secrets.get,
    licensed,
    ...(gate !== undefined && { gate }),
    log,
  });
}

/** The model that the file names, null where it is absent or empty. Throws `CONFIG` where it is no name. */
export function readModelFile(path: string): string | null {
  const model = readSmallFile(path)?.toString('utf8').trim() ?? '';
  if (model === '') return null;
  if (text.schema.safeParse(model).success) return model;
  throw new OperatorError('CONFIG', `${path} does not hold the name of a model`, {
    hint: 'Run "ccp model NAME", or "ccp model --clear".',
  });
}
