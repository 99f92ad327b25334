/** A night that was interrupted or killed, as it is taken up again: by its plan and seed, after its last judged round. */
import { OperatorError } from '../../errors.ts';
import type { RoundAccount } from '../../protocol/witness.ts';
import type { RunEvent } from '../run-events.ts';
import type { Plan } from '../run-record.ts';
import { readEvents } from '../stored/run-folder.ts';
import { mustBeOver } from '../stored/under-way.ts';

export interface Resumable {
  /** Absolute. */
  readonly folder: string;
  readonly plan: Plan;
  readonly rounds: readonly RoundAccount[];
  readonly started: Extract<RunEvent, { type: 'run_started' }>;
}

/**
 * Throws USAGE where the run is no night, has come to its end, or still goes on; and where it was begun by other programs
 * than `source`: its rounds, first and last, are those of one proxy, judged by one harness.
 */
export async function resumableNight(folder: string, source: string | undefined): Promise<Resumable> {
  const events = await readEvents(folder);
  const started = events.find((event) => event.type === 'run_started');
  if (started?.plan.driver?.kind !== 'overnight') {
    throw new OperatorError('USAGE', `${folder} is no night: it cannot be resumed`, {
      hint: 'Runs of "ccp-uat overnight" can.',
    });
  }
  if (events.some(({ type }) => type === 'run_ended')) {
    throw new OperatorError('USAGE', `${folder} has come to its end: there is nothing to resume`, {
      hint: 'Begin another night, without --resume.',
    });
  }
  mustBeBegunBy(source, folder, started);
  await mustBeOver(folder);
  const rounds = events.flatMap((event) => (event.type === 'round_judged' ? [event.account] : []));
  return { folder, plan: started.plan, rounds, started };
}

function mustBeBegunBy(
  source: string | undefined,
  folder: string,
  { provenance }: Resumable['started'],
): void {
  if (provenance.source === source) return;
  const { commit } = provenance.surroundings ?? {};
  throw new OperatorError(
    'USAGE',
    `${folder} was begun by other programs (source ${hashWord(provenance.source)}) than these (source ${hashWord(source)})`,
    {
      hint: `Resume it with those${commit == null ? '' : ` (commit ${commit.slice(0, 12)})`}, or begin another night. "ccp-uat report" judges what it has.`,
    },
  );
}

/** As much of a hash as tells two apart. */
const hashWord = (hash: string | undefined): string => hash?.slice(0, 12) ?? 'not known';
