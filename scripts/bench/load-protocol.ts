/** What the benchmark tells its load process, and what that answers: one reply to each command. */

export type LoadCommand =
  | ConnectCommand
  /** Exchanges on every connection, one after the other, until `ms` have passed; at least one each. */
  | { readonly do: 'run'; readonly ms: number }
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

export interface LoadResult {
  readonly exchanges: number;
  readonly wallMs: number;
  /** From the request's first byte sent to the first byte of the body. */
  readonly firstByteMs: { readonly p50: number; readonly p99: number };
}

export type LoadReply =
  | { readonly ok: true; readonly result?: LoadResult }
  | { readonly ok: false; readonly message: string };
