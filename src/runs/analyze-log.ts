/**
 * The analyzers on files: which log is read, what is written beside, and what counts as a failure. Each loads
 * its own: code is a good part of the memory that one takes.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { LogSource } from '../analysis/log-reader.ts';
import { plural } from '../analysis/plural.ts';
import { makeFolder, SHARED } from '../platform/files.ts';
import { openLog, openRotatedLog } from './log-source.ts';
import type { Places } from './report/write-reports.ts';

export interface Analysis {
  /** The document of `--json`. */
  readonly data: unknown;
  /** The same for a person; ends with a newline. */
  readonly text: string;
  readonly ok: boolean;
  /** A remark for standard error. */
  readonly remark?: string;
}

export interface Analyzed extends Places {
  /** Absolute, or `-`; by default the live log. */
  readonly log: string | undefined;
  /** Also reads the rotated copies beside it. */
  readonly rotated: boolean;
}

export const ANALYSES = {
  /** Without a log named, also writes `METRICS.json` among the results. */
  async summarize(analyzed: Analyzed): Promise<Analysis> {
    const [{ summarize }, { formatSummary }] = await Promise.all([
      import('../analysis/summarize.ts'),
      import('../analysis/summary-table.ts'),
    ]);
    const { log, ...places } = analyzed;
    const summary = await summarize(await sourcesOf(analyzed));
    const analysis = { data: summary, text: formatSummary(summary), ok: true };
    if (log !== undefined) return analysis;
    const file = path.join(places.resultsDir, 'METRICS.json');
    makeFolder(places.resultsDir, SHARED);
    await writeFile(`${file}.part`, `${JSON.stringify(summary, null, 2)}\n`);
    await rename(`${file}.part`, file);
    return { ...analysis, remark: `written to ${file}` };
  },

  async 'verify-routing'(analyzed: Analyzed): Promise<Analysis> {
    const { auditRouting, formatAudit } = await import('../analysis/verify-routing.ts');
    const audit = await auditRouting(await sourcesOf(analyzed));
    return { data: audit, text: formatAudit(audit), ...verdictOn(audit, audit.violations.count === 0) };
  },

  async hygiene(analyzed: Analyzed): Promise<Analysis> {
    const { searchSources } = await import('../analysis/hygiene.ts');
    const sources = (await sourcesOf(analyzed)).map(watched);
    const hits = await searchSources(sources);
    const lines = hits.map(
      ({ place, line, rule, count }) => `${place}:${line}: ${rule}, ${plural(count, 'time')}`,
    );
    const text = lines.length === 0 ? 'nothing has the shape of a credential' : lines.join('\n');
    const verdict = sources.some(({ heldAny }) => heldAny()) ? { ok: hits.length === 0 } : NOTHING_PROVEN;
    return { data: { hits }, text: `${text}\n`, ...verdict };
  },

  async 'productize-check'(analyzed: Analyzed): Promise<Analysis> {
    const { auditRouting, productizeCheck } = await import('../analysis/verify-routing.ts');
    const audit = await auditRouting(await sourcesOf(analyzed));
    const findings = productizeCheck(audit, await readOptional(metricsOf(analyzed)));
    const lines = findings.map(({ rule, what }) => `FAIL ${rule}: ${what}`);
    const text =
      lines.length === 0
        ? 'pass: no Z.AI header and no haiku on the Anthropic lane, metrics present'
        : lines.join('\n');
    return { data: { findings }, text: `${text}\n`, ...verdictOn(audit, findings.length === 0) };
  },
} as const satisfies Record<string, (analyzed: Analyzed) => Promise<Analysis>>;

async function sourcesOf({ log, rotated, logsDir }: Analyzed): Promise<readonly LogSource[]> {
  const named = log ?? path.join(logsDir, 'usage.jsonl');
  return rotated ? openRotatedLog(named) : [await openLog(named)];
}

/** A log that tells of nothing proves nothing. */
function verdictOn(
  { lines, bad }: { lines: number; bad: { count: number } },
  clean: boolean,
): Pick<Analysis, 'ok' | 'remark'> {
  return lines > bad.count ? { ok: clean } : NOTHING_PROVEN;
}

const NOTHING_PROVEN = { ok: false, remark: 'the log holds no readable line, so nothing is proven' };

/** The same source, which can tell afterwards whether it held anything but blanks. */
function watched({ name, chunks }: LogSource) {
  let any = false;
  async function* passing() {
    for await (const chunk of chunks) {
      any ||= chunk.some((byte) => byte > 0x20);
      yield chunk;
    }
  }
  return { name, chunks: passing(), heldAny: () => any };
}

/** `usage_<name>.jsonl` of a run belongs to `METRICS_<name>.json`, any other log to `METRICS.json`. */
function metricsOf({ log, resultsDir }: Analyzed): string {
  const name = /^usage(_[\w-]+)\.jsonl$/.exec(path.basename(log ?? ''))?.[1] ?? '';
  return path.join(resultsDir, `METRICS${name}.json`);
}

async function readOptional(file: string): Promise<string | null> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}
