/** The program's own messages, for the person at the terminal or the service log: always standard error. */
export interface Log {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** Writes `prefix: message` lines to a sink, standard error by default. */
export function createLog(
  prefix: string,
  write: (line: string) => void = (line) => void process.stderr.write(line),
): Log {
  return {
    info: (message) => write(`${prefix}: ${message}\n`),
    warn: (message) => write(`${prefix}: warning: ${message}\n`),
    error: (message) => write(`${prefix}: error: ${message}\n`),
  };
}
