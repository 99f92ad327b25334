/** What the benchmark tells its load process, and what that answers: one reply to each command. */

export type LoadCommand =
  | ConnectCommand
  | RunCommand
  /** One stream on every connection, left running. */
  | { readonly do: 'hold' }
  | { readonly do: 'close' };

export interface ConnectCommand {
  readonly do: 'connect';
  readonly work: string;
  readonly port: number;
  readonly connections: number;
  /** Added to the request, for contestants that want to be told where to go. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether answers must be what the upstream sent, byte for byte. */
  readonly verbatim: boolean;
}

/** Exchanges on every connection, one after the other, until `ms` have passed; at least one each. */
export interface RunCommand {
  readonly do: 'run';
  readonly ms: number;
  /** Between an answer and the next request of a connection. */
  readonly pauseMs?: number;
}

export interface LoadResult {
  readonly exchanges: number;
  readonly wallMs: number;
  /** Of each exchange, from the request's first byte sent to the first byte of the body, ascending. */
  readonly firstByteMs: readonly number[];
  /** The same to the last byte. */
  readonly wholeMs: readonly number[];
}

export type LoadReply =
  | { readonly ok: true; readonly result?: LoadResult }
  | { readonly ok: false; readonly message: string };
