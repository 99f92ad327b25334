/** The program's own messages, for the person at the terminal or the service log: always standard error. */
export interface Log {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/**
 * Writes `prefix: message` lines to a sink, standard error by default. A message with a mark of its own, `[license] …`,
 * gets no prefix: scripts look for it at the start of a line (contract, 7).
 */
export function createLog(
  prefix: string,
  write: (line: string) => void = (line) => void process.stderr.write(line),
): Log {
  return {
    info: (message) => write(message.startsWith('[') ? `${message}\n` : `${prefix}: ${message}\n`),
    warn: (message) => write(`${prefix}: warning: ${message}\n`),
    error: (message) => write(`${prefix}: error: ${message}\n`),
  };
}
