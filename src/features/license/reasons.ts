/** Every reason why there is no licence that counts. Codes are fixed: scripts compare them. */

export interface Reason {
  /** What is wrong; a sentence without its full stop, so that a detail may follow. */
  readonly wrong: string;
  /** What to do about it; one sentence. */
  readonly remedy: string;
}

const ASK_AGAIN = 'Ask whoever issued it for a new one.';
const COPY_AGAIN = 'Copy it again from where it came, every byte of it.';

export const REASONS = {
  none: {
    wrong: 'No licence is set',
    remedy:
      'Store one with "ccp license set FILE", get one with "ccp license login", or sign one yourself: "ccp issuer mint --help".',
  },
  unreadable: {
    wrong: 'A file that should hold the licence or its signature cannot be read',
    remedy: 'Check the path and its permission.',
  },
  too_large: {
    wrong: 'It is larger than any licence',
    remedy: 'Check that the path names a licence and no other file.',
  },
  bad_encoding: {
    wrong: 'It is not plain UTF-8',
    remedy: 'Save it as UTF-8 without a byte order mark, or copy it again from where it came.',
  },
  not_json: { wrong: 'It is not one JSON document', remedy: `${COPY_AGAIN} Or is it another file?` },
  too_deep: { wrong: 'Its JSON is nested deeper than any licence', remedy: ASK_AGAIN },
  duplicate_key: { wrong: 'Its JSON can be read in two ways', remedy: ASK_AGAIN },
  forbidden_key: { wrong: 'Its JSON has a key that no licence may have', remedy: ASK_AGAIN },
  malformed: {
    wrong: 'It is JSON and no licence',
    remedy: 'Use a pack, {"license": {…}, "signature": "…"}, as the issuer gave it: is it the right file?',
  },
  no_canonical_form: { wrong: 'It has no canonical form that could be signed', remedy: ASK_AGAIN },
  unsigned: {
    wrong: 'It has no signature',
    remedy:
      'Use a pack, or name the signature too: CC_LICENSE_SIG, --license-sig, "ccp license set FILE --sig FILE".',
  },
  signed_twice: {
    wrong: 'It is a pack, which has its signature in it, and a signature was named besides',
    remedy: 'Name the pack alone: CC_LICENSE_PACK, --license-pack, or "ccp license set FILE" without --sig.',
  },
  lone_signature: {
    wrong: 'There is a signature and no licence to go with it',
    remedy: 'Set CC_LICENSE_JSON (--license-json) too, or unset CC_LICENSE_SIG.',
  },
  bad_signature_text: {
    wrong: 'Its signature is not 64 bytes in standard base64 (88 characters, padding included)',
    remedy: COPY_AGAIN,
  },
  no_keys: {
    wrong: 'No public key is known that could verify it',
    remedy:
      'Put the issuer\'s public line, CCP_LICENSE_PUBKEY_B64=KID=BASE64 ("ccp issuer keygen" and "ccp issuer serve" print it), into settings.env, and restart a running proxy: it reads keys at its start.',
  },
  unknown_kid: {
    wrong: 'It was signed with a key that is not known here',
    remedy:
      'Add the issuer\'s public key under that kid to CCP_LICENSE_PUBKEY_B64 ("ccp issuer keygen" and "ccp issuer serve" print it), and restart a running proxy: it reads keys at its start.',
  },
  wrong_key: {
    wrong: 'Its signature was made with another key than its kid says',
    remedy:
      'Check that CCP_LICENSE_PUBKEY_B64 gives each kid its own key; if it does, ask for a new licence.',
  },
  tampered: {
    wrong:
      'Its signature does not fit: it was changed after it was signed, or the key under its kid is another',
    remedy:
      'Copy it again from where it came; if that does not help, compare the key in CCP_LICENSE_PUBKEY_B64.',
  },
  bad_times: { wrong: 'Its times leave no moment at which it is valid', remedy: ASK_AGAIN },
  expired: {
    wrong: 'It has expired',
    remedy: 'Get a new one: "ccp license login", or "ccp license set FILE"; a running proxy takes it over.',
  },
  not_yet_valid: {
    wrong: 'It is not valid yet',
    remedy: "Wait, or check this machine's clock; a running proxy begins to use it when its time comes.",
  },
} as const satisfies Readonly<Record<string, Reason>>;

export type ReasonCode = keyof typeof REASONS;

/** Why something is no licence that counts. */
export interface Failure {
  readonly ok: false;
  readonly reason: ReasonCode;
  /** The place, time or name that matters, to follow `wrong`; empty where there is none. */
  readonly detail: string;
}

export const failure = (reason: ReasonCode, detail = ''): Failure => ({ ok: false, reason, detail });

/** What is wrong in one sentence, without its full stop. */
export function sentenceOf({ reason, detail }: Omit<Failure, 'ok'>): string {
  const { wrong } = REASONS[reason];
  return detail === '' ? wrong : `${wrong}: ${detail}`;
}
