/**
 * Turns model names, which a client may choose freely, into label values that a metrics store can bear: every
 * distinct value is a time series for as long as the store keeps them.
 */

export const MAX_MODELS = 100;
/** Longer than any model's name; the names seen are also kept in memory. */
const MAX_LENGTH = 128;
const OTHER = 'other';
const NONE = 'none';

/** Gives the label of a model: the first hundred names as they are, control characters apart, then `other`. */
export function createModelLabels(): (model: string | null) => string {
  const labels = new Map<string, string>();

  return (model) => {
    if (model === null) return NONE;
    const known = labels.get(model);
    if (known !== undefined) return known;
    if (labels.size >= MAX_MODELS || model.length > MAX_LENGTH) return OTHER;
    const label = printable(model);
    labels.set(model, label);
    return label;
  };
}

/** Control, format and unpaired characters and line separators become `?`: they can forge lines of output. */
function printable(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}
