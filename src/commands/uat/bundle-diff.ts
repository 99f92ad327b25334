import { EXIT } from '../../errors.ts';
import { type Host, printJson } from '../shared/host.ts';
import { table } from '../shared/table.ts';
import { bundleFile } from './bundle-file.ts';
import { open } from './load.ts';

const PARTS = ['verdicts', 'checks', 'provenance', 'counts'] as const;

/** `ccp-uat bundle diff`: shows what differs; that something does is no failure. */
export async function diffBundles(
  host: Host,
  a: string | undefined,
  b: string | undefined,
  { json = false }: { readonly json?: boolean },
): Promise<number> {
  const { out } = host;
  const { uat, settings } = open(host);
  const diff = await uat.diffBundles(
    await bundleFile(host, a, settings.resultsDir),
    await bundleFile(host, b, settings.resultsDir, 'the second bundle is not named'),
  );
  if (json) printJson(host, diff);
  else if (diff.same) out.write('The two say the same.\n');
  else {
    for (const part of PARTS.filter((name) => diff[name].length > 0)) {
      const rows = diff[part].map((one) => [one.what, one.a ?? '–', one.b ?? '–']);
      out.write(`${table(out, [part, 'first', 'second'], rows)}\n`);
    }
  }
  return EXIT.ok;
}
