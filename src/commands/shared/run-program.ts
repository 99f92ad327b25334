/** The one edge where what went wrong becomes a sentence on standard error and an exit code. */
import { Command, CommanderError } from 'commander';
import { EXIT, OperatorError, pathTrouble } from '../../errors.ts';
import { type Host, plain, type Screen } from './host.ts';
import { packageVersion } from './version.ts';

export interface ProgramOptions {
  readonly name: string;
  readonly host: Host;
  /** Without the program's own name. */
  readonly argv: readonly string[];
  /** Adds the commands; each hands the exit code of what it did to `exit`. */
  readonly build: (program: Command, exit: (code: number) => void) => void;
}

/**
 * Parses the arguments and runs the command; gives the exit code. An operator's mistake is shown as message
 * and hint; anything else is a bug and is thrown.
 */
export async function runProgram({ name, host, argv, build }: ProgramOptions): Promise<number> {
  let code: number = EXIT.ok;
  const program = new Command(name)
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.out.write(text),
      writeErr: (text) => host.err.write(text),
      outputError: (text, write) => write(`${name}: ${text}`),
      getOutHelpWidth: () => helpWidth(host.out),
      getErrHelpWidth: () => helpWidth(host.err),
    });
  build(program, (result) => {
    code = result;
  });
  try {
    refuseMistyped(program, argv);
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    // Commander has said its sentence already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const shown = error instanceof OperatorError ? error : pathTrouble(error);
    if (shown === null) throw error;
    printError(name, shown, host);
    return shown.exitCode;
  }
}

/**
 * A group that does something by itself takes a mistyped command for an argument too many; then Commander does not say
 * which one was meant. It does where the group has nothing but its commands.
 */
function refuseMistyped(program: Command, argv: readonly string[]): void {
  let group = program;
  for (const word of argv) {
    const next = group.commands.find((command) => [command.name(), ...command.aliases()].includes(word));
    if (next === undefined) {
      const isName = word !== 'help' && !word.startsWith('-');
      const isGroup = group.commands.length > 0 && group.registeredArguments.length === 0;
      if (isName && isGroup && group !== program) onlyCommandsOf(group).parse([word], { from: 'user' });
      return;
    }
    group = next;
  }
}

function onlyCommandsOf(group: Command): Command {
  const bare = new Command(group.name()).copyInheritedSettings(group);
  for (const command of group.commands) bare.command(command.name());
  return bare;
}

function printError(name: string, { message, hint }: OperatorError, { err }: Host): void {
  err.write(`${name}: ${err.paint('red', 'error')}: ${plain(message)}\n`);
  if (hint !== undefined) err.write(`${plain(hint)}\n`);
}

/** Help is prose: it is read in lines also where it goes through a pipe. */
const helpWidth = ({ width }: Screen): number => (Number.isFinite(width) ? width : USUAL_WIDTH);
const USUAL_WIDTH = 80;
