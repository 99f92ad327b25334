import type { RunRecord } from './run-record.ts';

/** How a run that is not complete ended, as what follows "the run". `quotes`: around the word for it. */
export const endingWords = (ending: RunRecord['ending'], [open, close] = ['"', '"']): string =>
  ending === 'running' ? 'still goes on' : `ended as ${open}${ending}${close}`;
