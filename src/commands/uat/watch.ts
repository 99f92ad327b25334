import { loadProgress, type Progress } from '../../ccp-uat.ts';
import type { Host } from '../shared/host.ts';
import type { Terminal } from '../shared/terminal.ts';

/** Shows a run under way: a live list where somebody watches, else a line for each thing that ended. */
export async function watch({ err }: Host, { live }: Terminal): Promise<Progress> {
  const { liveProgress, plainProgress } = await loadProgress();
  return live === null ? plainProgress((line) => err.write(`ccp-uat: ${line}`)) : liveProgress(live);
}

/** For one of several runs at the same time: that it began is said at once, all else in one piece when it is over. */
export async function watchOneOfMany({ err }: Host): Promise<Progress> {
  const { plainProgress } = await loadProgress();
  const lines: string[] = [];
  const told = plainProgress((line) => lines.push(`ccp-uat: ${line}`));
  return {
    onEvent(event) {
      if (event.type === 'run_started') err.write(`ccp-uat: ${event.plan.run}: started\n`);
      told.onEvent(event);
    },
    end: async () => err.write(lines.join('')),
  };
}
