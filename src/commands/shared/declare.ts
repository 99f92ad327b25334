/** What declarations of commands have in common. */

/** Takes the exit code of what a command did. */
export type Exit = (code: number) => void;

export interface Json {
  readonly json?: boolean;
}

export const AS_JSON = ['--json', 'print one JSON document'] as const;

/** The lines under a command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}
