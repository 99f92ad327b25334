/**
 * The routing audit of a usage log: did what should go to Z.AI go there, and nothing else. The log is the only
 * witness here; the checks of a run hold it against the wire.
 */
import { explainsAnthropic, isFallback } from './explained.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { createCounter, createLabelled } from './labelled.ts';
import { type LogReading, type LogSource, readLog } from './log-reader.ts';
import { type LogView, UNKNOWN, viewOf } from './log-view.ts';
import { printable } from './printable.ts';
import { isHaiku } from './wire.ts';

export interface RoutingAudit {
  /**
   * Decision lines of models that the offload rule concerns, and how many of them chose Z.AI. Lines of other
   * models that chose Z.AI count as well; a Sonnet that goes to Anthropic says nothing about the offload.
   */
  readonly decisions: { readonly toZai: number; readonly of: number };
  /** Completions by lane; the contract's three are always there. */
  readonly completions: Readonly<Record<string, number>>;
  readonly violations: {
    readonly count: number;
    /** By rule. */
    readonly byRule: Readonly<Record<string, number>>;
    readonly examples: readonly RoutingViolation[];
  };
  /** Completions of haiku on the Anthropic lane that their decision explains, by decision, or else `explicit_route`. */
  readonly explained: Readonly<Record<string, number>>;
  readonly lines: number;
  readonly bad: LogReading['bad'];
}

export interface RoutingViolation {
  readonly rule: RoutingRule;
  readonly source: string;
  readonly line: number;
  readonly rid: string | null;
  readonly decision: string;
}

export type RoutingRule = 'haiku-on-anthropic' | 'other-model-on-zai' | 'header-mode-on-anthropic';

export interface AuditOptions {
  /** Whether a route of a catalog or the policy sends a model to Z.AI. Without one, only haiku belongs there. */
  readonly routedToZai?: (model: string) => boolean;
  /** The same for Anthropic. Without one, a haiku there needs a decision that explains it. */
  readonly routedToAnth?: (model: string) => boolean;
}

const EXAMPLES = 20;
const MAX_LABELS = 50;

/** Audits a log in one pass and bounded memory. Nothing in a log is an error; errors of the sources pass through. */
export async function auditRouting(
  sources: Iterable<LogSource> | AsyncIterable<LogSource>,
  { routedToZai = () => false, routedToAnth = () => false }: AuditOptions = {},
): Promise<RoutingAudit> {
  const decisions = { toZai: 0, of: 0 };
  const lanes = createLabelled(MAX_LABELS, createCounter);
  const byRule = createLabelled(MAX_LABELS, createCounter);
  const explained = createLabelled(MAX_LABELS, createCounter);
  const examples: RoutingViolation[] = [];

  const reading = await readLog(sources, (record, source, line) => {
    const view = viewOf(record);
    if (view.kind === 'decision') countDecision(decisions, view);
    if (view.kind === 'completion') lanes.of(view.lane).add();
    const explanation = explanationOf(view, routedToAnth);
    if (view.kind === 'completion' && explanation !== null) explained.of(explanation).add();
    for (const rule of brokenRules(record, view, { routedToZai, routedToAnth })) {
      byRule.of(rule).add();
      const rid = typeof record['rid'] === 'string' ? record['rid'].slice(0, 64) : null;
      if (examples.length < EXAMPLES) examples.push({ rule, source, line, rid, decision: view.decision });
    }
  });
  const rules = byRule.result();
  return {
    decisions,
    completions: { anthropic: 0, zai: 0, unknown: 0, ...lanes.result() },
    violations: {
      count: Object.values(rules).reduce((sum, count) => sum + count, 0),
      byRule: rules,
      examples,
    },
    explained: explained.result(),
    ...reading,
  };
}

function countDecision(decisions: { toZai: number; of: number }, { model, decision }: LogView): void {
  const toZai = decision === 'to_zai';
  if (!toZai && !isHaiku(model)) return;
  decisions.of += 1;
  if (toZai) decisions.toZai += 1;
}

const isHaikuOnAnthropic = ({ kind, lane, model }: LogView): boolean =>
  kind !== 'decision' && lane === 'anthropic' && isHaiku(model);

/** Why a haiku is on the Anthropic lane; null where nothing explains it, or it is none. */
function explanationOf(view: LogView, routedToAnth: Routes['routedToAnth']): string | null {
  if (!isHaikuOnAnthropic(view)) return null;
  if (explainsAnthropic(view.decision)) return view.decision;
  return routedToAnth(view.model) ? 'explicit_route' : null;
}

type Routes = Required<AuditOptions>;

/** A stream's start carries no decision: its completion is what counts, but for the predecessor's, which has none. */
function brokenRules(
  record: JsonObject,
  view: LogView,
  { routedToZai, routedToAnth }: Routes,
): RoutingRule[] {
  const rules: RoutingRule[] = [];
  const isStart = view.kind === 'stream_start' && record['v'] === 1;
  if (isHaikuOnAnthropic(view) && !isStart && explanationOf(view, routedToAnth) === null)
    rules.push('haiku-on-anthropic');
  if (isForeignOnZai(view, routedToZai)) rules.push('other-model-on-zai');
  if (hasAnthropicHeaderMode(record, view)) rules.push('header-mode-on-anthropic');
  return rules;
}

function isForeignOnZai(
  { kind, lane, model, decision }: LogView,
  routedToZai: (model: string) => boolean,
): boolean {
  if (kind !== 'completion' || lane !== 'zai' || model === UNKNOWN) return false;
  return !isHaiku(model) && decision !== 'manual_override' && !isFallback(decision) && !routedToZai(model);
}

function hasAnthropicHeaderMode({ attempts }: JsonObject, { lane, headerMode }: LogView): boolean {
  if (lane === 'anthropic' && headerMode !== 'none' && headerMode !== UNKNOWN) return true;
  return (
    Array.isArray(attempts) &&
    attempts.some(
      (one: unknown) => isJsonObject(one) && one['provider'] === 'anth' && Boolean(one['header_mode']),
    )
  );
}

/** The audit for people: the two lines of the contract first, then what is wrong. Ends with a newline. */
export function formatAudit({ decisions, completions, violations, explained, bad }: RoutingAudit): string {
  const share = decisions.of === 0 ? 'n/a' : `${((decisions.toZai / decisions.of) * 100).toFixed(1)}%`;
  const lanes = Object.entries(completions).map(([lane, count]) => `${printable(lane)}=${count}`);
  const lines = [
    `[verify-routing] decisions: ${decisions.toZai}/${decisions.of} to_zai (${share})`,
    `Completions by lane: ${lanes.join(' ')}`,
    ...Object.entries(explained).map(
      ([decision, count]) => `haiku on anthropic, explained by ${decision}: ${count}`,
    ),
    ...Object.entries(violations.byRule).map(([rule, count]) => `violation ${rule}: ${count}`),
    ...violations.examples.map(
      ({ rule, source, line, rid }) =>
        `  ${source}:${line}: ${rule}${rid === null ? '' : ` (rid ${printable(rid)})`}`,
    ),
    ...(bad.count > 0 ? [`bad lines: ${bad.count}`] : []),
    ...bad.examples.map(({ source, line, problem }) => `  ${source}:${line}: ${problem}`),
  ];
  return `${lines.join('\n')}\n`;
}

export interface ProductizeFinding {
  readonly rule: 'header-mode-on-anthropic' | 'haiku-on-anthropic' | 'metrics-missing';
  readonly what: string;
}

/**
 * The acceptance gate `productize-check` (contract, section 9): stricter than the audit, any haiku on the Anthropic
 * lane fails it, explained or not. `metrics` is the content of the metrics file, null where there is none.
 */
export function productizeCheck(audit: RoutingAudit, metrics: string | null): ProductizeFinding[] {
  const { byRule } = audit.violations;
  const modes = byRule['header-mode-on-anthropic'] ?? 0;
  const explained = Object.values(audit.explained).reduce((sum, count) => sum + count, 0);
  const haiku = (byRule['haiku-on-anthropic'] ?? 0) + explained;
  const findings: ProductizeFinding[] = [];
  if (modes > 0) {
    findings.push({
      rule: 'header-mode-on-anthropic',
      what: `${modes} lines of the Anthropic lane have a header mode`,
    });
  }
  if (haiku > 0) {
    findings.push({
      rule: 'haiku-on-anthropic',
      what: `${haiku} haiku requests went to Anthropic, ${explained} of them explained`,
    });
  }
  if (metrics === null || metrics.trim() === '') {
    findings.push({ rule: 'metrics-missing', what: 'there is no metrics file, or it is empty' });
  }
  return findings;
}
