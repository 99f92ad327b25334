/** What declarations of commands have in common. */

/** Takes the exit code of what a command did. */
export type Exit = (code: number) => void;

export interface Json {
  readonly json?: boolean;
}

export const AS_JSON = ['--json', 'print one JSON document'] as const;

/** The lines under a command's help. */
export const examples = (...lines: readonly string[]): string => section('Examples', lines);

/** Where to go on from a command: a question and what answers it, a line each. */
export const questions = (...lines: readonly string[]): string => section('Questions', lines);

const section = (title: string, lines: readonly string[]): string =>
  `\n${title}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
