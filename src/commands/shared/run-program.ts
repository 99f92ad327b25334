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
  /** The candidate that a mistyped name most likely meant; null where none is near. */
  readonly nearestName: (name: string, candidates: Iterable<string>) => string | null;
}

/**
 * Parses the arguments and runs the command; gives the exit code. An operator's mistake is shown as message
 * and hint; anything else is a bug and is thrown.
 */
export async function runProgram(options: ProgramOptions): Promise<number> {
  const { name, host, argv, build } = options;
  let code: number = EXIT.ok;
  let said = '';
  const program = new Command(name)
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.out.write(text),
      writeErr: (text) => host.err.write(text),
      outputError: (text) => void (said += `${name}: ${text}`),
      getOutHelpWidth: () => helpWidth(host.out),
      getErrHelpWidth: () => helpWidth(host.err),
    });
  build(program, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    const shown = shownOf(error, (excess) => mistyped(program, options, excess));
    if (shown === null) {
      if (!(error instanceof CommanderError)) throw error;
      host.err.write(said);
      return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    }
    printError(name, shown, host);
    return shown.exitCode;
  }
}

/** What is shown of a failure; null where Commander has a sentence for it, and for a bug. */
function shownOf(error: unknown, slip: (excess: string) => OperatorError | null): OperatorError | null {
  if (error instanceof CommanderError)
    return error.code === 'commander.excessArguments' ? slip(error.message) : null;
  return error instanceof OperatorError ? error : pathTrouble(error);
}

/**
 * A group that does something by itself takes a mistyped command for an argument too many; then Commander does not say
 * which one was meant, or which there are. `excess` is its sentence. Null where the command is no group.
 */
function mistyped(
  program: Command,
  { argv, nearestName }: ProgramOptions,
  excess: string,
): OperatorError | null {
  let group = program;
  for (const word of argv) {
    if (word.startsWith('-')) continue;
    const next = group.commands.find((command) => [command.name(), ...command.aliases()].includes(word));
    const names = group.commands.map((command) => command.name());
    const near = nearestName(word, names);
    if (next === undefined && near !== null) {
      return new OperatorError('USAGE', `unknown command '${word}'`, { hint: `(Did you mean ${near}?)` });
    }
    group = next ?? group;
  }
  if (group.commands.length === 0) return null;
  return new OperatorError('USAGE', excess.replace(/^error: /, ''), {
    hint: `Its commands: ${group.commands.map((command) => command.name()).join(', ')}.`,
  });
}

function printError(name: string, { message, hint }: OperatorError, { err }: Host): void {
  err.write(`${name}: ${err.paint('red', 'error')}: ${plain(message)}\n`);
  if (hint !== undefined) err.write(`${plain(hint)}\n`);
}

/** Help is prose: it is read in lines also where it goes through a pipe. */
const helpWidth = ({ width }: Screen): number => (Number.isFinite(width) ? width : USUAL_WIDTH);
const USUAL_WIDTH = 80;
