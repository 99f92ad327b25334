/** Why a bundle is not believed. Each reason is one thing that is wrong, and is never used for another. */

export const REASONS = {
  // The file as such.
  expected_hash: 'it is not the file whose SHA-256 was named',
  no_gzip: 'it does not begin as a bundle does',
  gzip_damaged: 'it cannot be unpacked, or its check sum is wrong',
  trailing_data: 'something stands behind its end',
  // More than any bundle holds.
  too_many_entries: 'it holds more files than any bundle does',
  too_large: 'it holds more bytes than any bundle does',
  ratio: 'it unpacks to more than its size can explain',
  // Entries of the archive.
  tar_damaged: 'the archive in it is damaged',
  link: 'it holds a link',
  device: 'it holds a device or a pipe',
  folder: 'it holds a folder of its own',
  sparse: 'it holds a sparse file',
  extended_header: 'it holds a header that renames or changes the file behind it',
  unknown_type: 'it holds an entry of a kind that no bundle has',
  absolute_path: 'it holds a path that starts at the root',
  path_escape: 'it holds a path that leads out of its folder',
  path_form: 'it holds a path that is written in another way than ours are',
  other_root: 'it holds a file outside its one folder',
  duplicate: 'it holds a file twice',
  case_collision: 'it holds two files that are one where case does not matter',
  order: 'its files are not in the order of a bundle',
  header_form: 'an entry has an owner, a mode, a time or a note that no bundle has',
  // Signature.
  unsigned: 'it is not signed',
  signature_form: 'its signature is none',
  wrong_signature: 'its signature is not by the key that was named',
  // Inventory.
  missing_document: 'a document that each bundle has is missing',
  manifest_form: 'its manifest is not in the published form',
  sums_differ: 'SHA256SUMS and the manifest do not list the same',
  unlisted_file: 'it holds a file that the manifest does not list',
  missing_file: 'a file that the manifest lists is missing',
  wrong_size: 'a file has another size than the manifest says',
  wrong_hash: 'a file has another SHA-256 than the manifest says',
  wrong_role: 'the manifest calls a file something else than its place makes it',
  // What it says.
  document_form: 'a document is not in the published form',
  evidence_differs: 'the evidence is not what the attestation in the bundle lists',
  evidence_damaged: 'the evidence cannot be judged',
  evidence_contradicts: 'the evidence contradicts itself',
  secret: 'something in it has the shape of a credential',
  verdict_differs: 'the evidence, judged again, gives another verdict',
  report_differs: 'a report of a run says something else than the evidence beside it',
  document_differs: 'a document says something else than the evidence',
} as const;

export type Reason = keyof typeof REASONS;

/** `detail`: where and what, with what is foreign in quotes. Never a secret. */
export class Refusal extends Error {
  readonly reason: Reason;
  readonly detail: string;

  constructor(reason: Reason, detail: string) {
    super(`${REASONS[reason]}: ${detail}`);
    this.name = 'Refusal';
    this.reason = reason;
    this.detail = detail;
  }
}

/** Names out of an archive are anybody's words: in quotes, escaped, and not too many of them. */
export const quote = (text: string): string =>
  JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
