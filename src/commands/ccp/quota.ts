/** `ccp quota` and `ccp quotas`: how full each quota is, what is configured, and taking it anew. */
import { resolve } from 'node:path';
import type { LoadedCcp } from '../../config/ccp-settings.ts';
import { readNamedFile } from '../../config/policy-files.ts';
import {
  QUOTAS_PATH,
  type QuotaAnswer,
  type QuotasAnswer,
  quotasAnswer,
  RELOAD_PATH,
} from '../../config/usage-answers.ts';
import { EXIT } from '../../errors.ts';
import { type Host, plain, printJson } from '../shared/host.ts';
import { table } from '../shared/table.ts';
import { show, watchUntilInterrupted } from '../shared/watch.ts';
import { askMeter } from './ask-meter.ts';
import { postText } from './control.ts';
import { compact, span } from './figures.ts';
import { load } from './load.ts';
import { limitLines, quotaDetails, quotaLines } from './meter-text.ts';

interface Json {
  readonly json: boolean;
}

const ask = (loaded: LoadedCcp): Promise<QuotasAnswer> => askMeter(loaded, QUOTAS_PATH, quotasAnswer);

/** `ccp quota`: a line for each, or all that is known of it. */
export async function quota(
  host: Host,
  { details, watching, json }: Json & { readonly details: boolean; readonly watching: boolean },
): Promise<number> {
  const loaded = load(host);
  if (json) {
    printJson(host, await ask(loaded));
    return EXIT.ok;
  }
  const look = async (): Promise<string> => {
    const answer = await ask(loaded);
    const { quotas } = answer;
    const page =
      details && quotas.length > 0
        ? quotas.map((one) => quotaDetails(host.out, one)).join('\n')
        : quotaLines(host.out, quotas);
    return page + limitLines(answer);
  };
  return watching ? watchUntilInterrupted(host, look) : show(host, look);
}

/** `ccp quotas show`: what is configured, and where. */
export async function showQuotas(host: Host, { json }: Json): Promise<number> {
  const answer = await ask(load(host));
  if (json) printJson(host, answer);
  else host.out.write(configured(host, answer));
  return EXIT.ok;
}

/** `ccp quotas reload`: sends the content of a file, or has the proxy read its own again. Throws `CONFIG` as it says. */
export async function reloadQuotas(
  host: Host,
  { file, json }: Json & { readonly file: string | undefined },
): Promise<number> {
  const loaded = load(host);
  const text = file === undefined ? '' : readNamedFile(resolve(host.cwd, file)).toString('utf8');
  const answer = quotasAnswer.parse(JSON.parse(await postText(loaded, RELOAD_PATH, text)));
  if (json) printJson(host, answer);
  else host.out.write(`Taken. ${configured(host, answer)}`);
  return EXIT.ok;
}

function configured({ out }: Host, { file, quotas }: QuotasAnswer): string {
  if (quotas.length === 0) {
    return file === null
      ? 'No quotas are set. docs/quotas.md shows how to set some.\n'
      : `${plain(file)} sets no quotas.\n`;
  }
  const rows = quotas.map((one) => [
    one.model,
    one.lane,
    capsText(one.rolling),
    capsText(one.weekly),
    `${one.warn_pct}%`,
    `${one.block_pct}%`,
  ]);
  const from = file === null ? 'sent by hand, until the next reload or restart' : plain(file);
  return `Quotas: ${from}\n${table(out, ['model', 'lane', 'rolling', 'weekly', 'warn', 'block'], rows)}`;
}

function capsText({ span_seconds, tokens, requests, hours }: QuotaAnswer['rolling']): string {
  const caps = [
    tokens.cap === null ? [] : [`${compact(tokens.cap)} tokens`],
    requests.cap === null ? [] : [`${compact(requests.cap)} requests`],
    hours.cap === null ? [] : [`${hours.cap} hours`],
  ].flat();
  return caps.length === 0 ? '–' : `${caps.join(', ')} in ${span(span_seconds)}`;
}
