import type { QuotaView } from './answers.ts';

/** The quotas as the endpoints see them. */
export interface QuotaViews {
  /** Where they come from; null without any. */
  readonly file: string | null;
  /** How full each of them is now. */
  views(): readonly QuotaView[];
  /**
   * Takes the quotas of `text`, or of the file as it is now where there is none. Throws `CONFIG`, saying why, and
   * keeps the old ones.
   */
  reload(text?: string): Promise<void> | void;
}
