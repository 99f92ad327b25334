/** More than any bundle holds. What lies beyond is refused by whoever reads one, and never made by us. */
export interface Limits {
  /** Size of the file. */
  readonly packedBytes: number;
  /** Of all that it unpacks to, headers included. */
  readonly bytes: number;
  readonly entries: number;
  /** Unpacked to packed. Our transcripts reach 12, a log of one repeated line 80; deflate at its most 1032. */
  readonly ratio: number;
  /** So much may be unpacked whatever the ratio: small files of nearly nothing are no bomb. */
  readonly freeBytes: number;
}

const MIB = 1024 ** 2;

export const LIMITS: Limits = {
  packedBytes: 1024 * MIB,
  bytes: 4096 * MIB,
  entries: 10_000,
  ratio: 200,
  freeBytes: 16 * MIB,
};
