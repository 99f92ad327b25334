/** A place where a file of the operator's may lie. Who may be believed there is settled by the configuration. */
export interface PlacedFile {
  readonly path: string;
  /** Whether it is an error that it is missing. */
  readonly required: boolean;
  /** Looks anew each time. Throws `CONFIG` where the file is there and can't be read. */
  read(): PlacedBytes;
}

export type PlacedBytes =
  | { readonly state: 'absent' }
  /** It is there and does not count; `why` is a sentence with the remedy. */
  | { readonly state: 'ignored'; readonly why: string }
  | { readonly state: 'used'; readonly bytes: Uint8Array };
