/**
 * Ends process groups when this process is gone, whatever ended it: SIGKILL and a crash leave no time for
 * handlers of our own. A shell waits at the end of a pipe that only we hold open; when the pipe closes, it
 * kills the groups that it was told of. The shell is a session of its own, so that no signal meant for us
 * reaches it.
 */
import { spawn } from 'node:child_process';
import { Socket } from 'node:net';

const SCRIPT = `
groups=' '
while read -r what group; do
  case $what in
    watch) groups="$groups$group " ;;
    forget) case $groups in *" $group "*) groups="\${groups%% $group *} \${groups#* $group }" ;; esac ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done`;

export interface Guardian {
  /** Has the group killed when this process is gone. */
  watch(group: number): void;
  /** To be called once the group is gone: its number may be used again. */
  forget(group: number): void;
}

let guardian: Guardian | undefined;

/** Starts the guardian, once per process. Call it before a group is started, which would else run unwatched meanwhile. */
export function callGuardian(): Guardian {
  guardian ??= startGuardian();
  return guardian;
}

function startGuardian(): Guardian {
  const child = spawn('/bin/sh', ['-c', SCRIPT], {
    detached: true,
    env: {},
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const { stdin } = child;
  // It must not keep us alive, and losing it loses no more than the last resort.
  child.unref();
  if (stdin instanceof Socket) stdin.unref();
  child.on('error', () => {});
  stdin.on('error', () => {});
  const tell = (order: string) => void stdin.write(`${order}\n`);
  return { watch: (group) => tell(`watch ${group}`), forget: (group) => tell(`forget ${group}`) };
}
