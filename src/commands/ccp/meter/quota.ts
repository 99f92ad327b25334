/** `ccp quota` and `ccp quotas`: how full each quota is, what is configured, and taking it anew. */
import { resolve } from 'node:path';
import type { LoadedCcp } from '../../../config/ccp-settings.ts';
import { parseQuotas } from '../../../config/open-quota.ts';
import { readNamedFile } from '../../../config/policy-files.ts';
import {
  END_COOLDOWN_PATH,
  endedAnswer,
  QUOTAS_PATH,
  type QuotaAnswer,
  type QuotasAnswer,
  quotasAnswer,
  RELOAD_PATH,
} from '../../../config/usage-answers.ts';
import { EXIT } from '../../../errors.ts';
import { type Host, plain, printJson } from '../../shared/host.ts';
import { table } from '../../shared/table.ts';
import { show, watchUntilInterrupted } from '../../shared/watch.ts';
import { postBody } from '../control.ts';
import { load } from '../load.ts';
import { askMeter } from './ask-meter.ts';
import { amountOf, clockTime, span } from './figures.ts';
import { limitLines } from './limit-text.ts';
import { quotasInDetail } from './quota-details.ts';
import { earlierLine, quotaLines, warningLines } from './quota-text.ts';

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
      details && quotas.length > 0 ? quotasInDetail(host.out, answer) : quotaLines(host.out, answer);
    return page + limitLines(host.out, answer);
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

/**
 * `ccp quotas reload`: sends the content of a file, or has the proxy read its own again. Throws `CONFIG` for what is wrong
 * in the file, by its name, and as the proxy says.
 */
export async function reloadQuotas(
  host: Host,
  { file, json }: Json & { readonly file: string | undefined },
): Promise<number> {
  const loaded = load(host);
  const bytes = file === undefined ? Buffer.alloc(0) : readNamedFile(resolve(host.cwd, file));
  // The proxy knows no name for what it is sent, and takes nothing for its own file.
  if (file !== undefined) parseQuotas(file, bytes);
  const answer = quotasAnswer.parse(JSON.parse(await postBody(loaded, RELOAD_PATH, bytes)));
  if (json) printJson(host, answer);
  else {
    const taken = answer.warnings.length === 0 ? 'Taken.' : 'Taken, with warnings.';
    host.out.write(`${taken} ${configured(host, answer)}`);
  }
  return EXIT.ok;
}

interface Choice {
  readonly lane: string | undefined;
  readonly key: string | undefined;
}

/**
 * `ccp quotas end-cooldown`: of all lanes, of one, or of one key of it. Throws `CONFIG`, as the proxy says, for a lane or
 * key that cannot be left alone.
 */
export async function endCooldown(host: Host, { lane, key, json }: Json & Choice): Promise<number> {
  const loaded = load(host);
  const order = JSON.stringify({ lane, key });
  const answer = endedAnswer.parse(JSON.parse(await postBody(loaded, END_COOLDOWN_PATH, order)));
  if (json) printJson(host, answer);
  else if (answer.ended.length === 0) host.out.write(plain(`Nothing to end: ${restText(lane, key)}`) + '\n');
  else {
    for (const one of answer.ended) {
      host.out.write(
        plain(`${one.lane}: ${one.key} is tried again; it was to rest until ${clockTime(one.until)}`) + '\n',
      );
    }
  }
  return EXIT.ok;
}

function restText(lane: string | undefined, key: string | undefined): string {
  if (lane === undefined) return 'no lane is left alone.';
  return `${key === undefined ? `lane ${lane}` : `"${key}" on lane ${lane}`} is not left alone.`;
}

function configured({ out }: Host, state: QuotasAnswer): string {
  const { file, quotas } = state;
  if (quotas.length === 0) {
    const none =
      file === null
        ? 'No quotas are set. docs/quotas.md shows how to set some.'
        : `${plain(file)} sets no quotas.`;
    return `${none}\n${earlierLine(out, state)}${warningLines(out, state)}`;
  }
  const rows = quotas.map((one) => [
    one.model,
    one.lane,
    capsText(one.rolling),
    capsText(one.weekly),
    `${one.warn_pct}%`,
    `${one.block_pct}%`,
  ]);
  const from = file === null ? 'sent by hand, until their file changes, a reload or a restart' : plain(file);
  const page = table(out, ['model', 'lane', 'rolling', 'weekly', 'warn', 'block'], rows);
  return `Quotas: ${from}\n${earlierLine(out, state)}${page}${warningLines(out, state)}`;
}

function capsText({ span_seconds, tokens, requests, hours }: QuotaAnswer['rolling']): string {
  const caps = [
    tokens.cap === null ? [] : [amountOf(tokens.cap, 'token')],
    requests.cap === null ? [] : [amountOf(requests.cap, 'request')],
    hours.cap === null ? [] : [`${hours.cap} ${hours.cap === 1 ? 'hour' : 'hours'}`],
  ].flat();
  return caps.length === 0 ? '–' : `${caps.join(', ')} in ${span(span_seconds)}`;
}
