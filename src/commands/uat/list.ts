import { EXIT } from '../../errors.ts';
import { type Host, printJson } from '../shared/host.ts';
import { table } from '../shared/table.ts';
import { open } from './load.ts';

/** `ccp-uat list`: the suites, and what a green run of each proves. */
export async function list(host: Host, { json }: { readonly json: boolean }): Promise<number> {
  const suites = await open(host).uat.suites();
  if (json) {
    printJson(host, { suites });
    return EXIT.ok;
  }
  const rows = suites.map(({ name, title, probes, driver, checks, stages = [null] }) => {
    const sent = probes.reduce((sum, { times = 1, stages: own }) => sum + times * (own ?? stages).length, 0);
    return [name, title, driver === undefined ? String(sent) : '-', String(checks.length)];
  });
  host.out.write(table(host.out, ['suite', 'what it proves', 'probes', 'checks'], rows));
  return EXIT.ok;
}
