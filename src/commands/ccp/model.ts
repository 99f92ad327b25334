import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { text } from '../../config/kinds.ts';
import { EXIT, OperatorError } from '../../errors.ts';
import { makeFolder } from '../shared/folders.ts';
import { type Host, plain, printJson, printWarnings } from '../shared/host.ts';
import { commandLog, load, openRoutingNow } from './load.ts';

export interface ModelOptions {
  readonly name: string | undefined;
  readonly clear: boolean;
  readonly json: boolean;
}

/** `ccp model`: shows, sets or clears the model that every request is routed as. A running proxy follows. */
export async function model(host: Host, { name, clear, json }: ModelOptions): Promise<number> {
  if (name !== undefined && clear) throw new OperatorError('USAGE', 'give a name or --clear, not both');
  const loaded = load(host);
  const { modelFile } = loaded.paths;
  if (clear) rmSync(modelFile, { force: true });
  if (name !== undefined) writeModel(modelFile, name);

  await using routing = openRoutingNow(loaded, commandLog(host));
  const override = routing.override();
  const { provider } = routing.route({
    method: 'POST',
    path: '/v1/messages',
    op: 'nonstream',
    model: override,
  });
  const source = loaded.settings.model === null ? modelFile : 'CCP_MODEL';
  if ((name !== undefined || clear) && source === 'CCP_MODEL') {
    printWarnings(host, 'ccp', ['CCP_MODEL is set here and wins over the model file']);
  }
  if (json) {
    const set = override !== null;
    printJson(host, { model: override, provider: set ? provider.id : null, source: set ? source : null });
  } else if (override === null) {
    host.out.write('Every request is routed by its own model.\n');
  } else {
    host.out.write(`Every request is routed as ${plain(override)}, to ${provider.id} (${source}).\n`);
  }
  return EXIT.ok;
}

/** Replaces the file in one step: a proxy that looks at it meanwhile sees the old name or the new one. */
function writeModel(path: string, name: string): void {
  if (!text.schema.safeParse(name).success || name.trim() === '') {
    throw new OperatorError('USAGE', `${JSON.stringify(name)} is no name of a model`, {
      hint: `It must be ${text.allowed}.`,
    });
  }
  makeFolder(dirname(path));
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${name.trim()}\n`);
  renameSync(draft, path);
}
