/** What a PromQL expression asks of each series that it names: enough of the language for the rules and panels in docs/. */

export interface Asked {
  readonly series: string;
  readonly matchers: readonly Matcher[];
  /** The labels that it is summed by. */
  readonly by: readonly string[];
}

export interface Matcher {
  readonly label: string;
  /** `=`, `!=`, `=~` or `!~`. */
  readonly op: string;
  readonly value: string;
}

const SELECTOR = /\b((?:ccp|nodejs|process)_\w+|up\b)(?:\{([^}]*)\})?/g;
const MATCHER = /(\w+)(=~|!~|!=|=)"([^"]*)"/g;

/** Every selector in the text. Throws where it sums in a form that this does not read. */
export function askedIn(expr: string): Asked[] {
  const sums = sumsIn(expr);
  return [...expr.matchAll(SELECTOR)].map(({ index, 1: series = '', 2: braces = '' }) => ({
    series,
    matchers: [...braces.matchAll(MATCHER)].map(([, label = '', op = '', value = '']) => ({
      label,
      op,
      value,
    })),
    by: sums.filter(({ from, to }) => index > from && index < to).flatMap(({ labels }) => labels),
  }));
}

/** Where each `by (…) (…)` has its operand. */
function sumsIn(expr: string): { from: number; to: number; labels: string[] }[] {
  const found = [...expr.matchAll(/\bby \(([^)]*)\) \(/g)];
  if (found.length !== (expr.match(/\b(?:by|without)\b/g) ?? []).length) {
    throw new Error(`write "by (labels) (operand)": ${expr}`);
  }
  return found.map(({ 0: text, 1: labels = '', index }) => {
    const from = index + text.length;
    let [to, open] = [from, 1];
    for (; open > 0 && to < expr.length; to += 1) open += expr[to] === '(' ? 1 : expr[to] === ')' ? -1 : 0;
    return { from, to, labels: labels.split(/,\s*/) };
  });
}
