import { OperatorError } from '../../errors.ts';

/** A stored run of which something cannot be read: judged without it, it would be another run. */
export class DamagedRun extends OperatorError {
  /** Absolute; of the run, or of rounds within it. */
  readonly folder: string;
  /** E.g. `line 3 of events.jsonl is damaged`. */
  readonly what: string;

  constructor(folder: string, what: string, cause?: unknown) {
    super('USAGE', `the run in ${folder} can't be judged: ${what}`, {
      hint: 'Run its suite again; then that folder can be removed.',
      cause,
    });
    this.folder = folder;
    this.what = what;
  }
}
