import { plural } from '../../ccp-uat.ts';
import { EXIT } from '../../errors.ts';
import { type Host, printJson } from '../shared/host.ts';
import { open } from './load.ts';

/** `ccp-uat prune-results`: removes old runs and figures without a run, and says which and how much room that gave. */
export async function pruneResults(
  host: Host,
  {
    keep,
    dryRun = false,
    json = false,
  }: { readonly keep: number; readonly dryRun?: boolean; readonly json?: boolean },
): Promise<number> {
  const pruned = await open(host).uat.pruneResults({ keep, dryRun });
  if (json) {
    printJson(host, pruned);
    return EXIT.ok;
  }
  const { removed, figures, spared, bytes, kept } = pruned;
  const verb = dryRun ? 'would remove' : 'removed';
  for (const one of removed) host.out.write(`${verb} ${one.run}, ${plural(one.bytes, 'byte')}\n`);
  for (const one of figures) host.out.write(`${verb} ${one.file}, ${plural(one.bytes, 'byte')}\n`);
  for (const { run, why } of spared) host.out.write(`kept ${run}: it ${why}\n`);
  host.out.write(`${verb} ${plural(removed.length, 'run')}, ${plural(bytes, 'byte')}; ${kept} stay\n`);
  return EXIT.ok;
}

/** `ccp-uat clean-logs`: removes the logs that the harness keeps of its runs. */
export async function cleanLogs(
  host: Host,
  {
    live = false,
    dryRun = false,
    json = false,
  }: { readonly live?: boolean; readonly dryRun?: boolean; readonly json?: boolean },
): Promise<number> {
  const cleaned = await open(host).uat.cleanLogs({ live, dryRun });
  if (json) {
    printJson(host, cleaned);
    return EXIT.ok;
  }
  const verb = dryRun ? 'would remove' : 'removed';
  for (const { file, bytes } of cleaned.removed)
    host.out.write(`${verb} ${file}, ${plural(bytes, 'byte')}\n`);
  host.out.write(`${verb} ${plural(cleaned.removed.length, 'file')}, ${plural(cleaned.bytes, 'byte')}\n`);
  return EXIT.ok;
}
