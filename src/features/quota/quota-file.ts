/** A place where a quota file may lie. Who may be believed there is settled by the configuration. */
export interface QuotaFile {
  readonly path: string;
  /** Whether it is an error that it is missing. */
  readonly required: boolean;
  /** Looks anew each time. Throws `CONFIG` where the file is there and can't be read. */
  read(): QuotaText;
}

export type QuotaText =
  | { readonly state: 'absent' }
  /** It is there and does not count; `why` is a sentence with the remedy. */
  | { readonly state: 'ignored'; readonly why: string }
  | { readonly state: 'used'; readonly text: string };
