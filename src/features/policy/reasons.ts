/** Why a policy pack is not taken over: the closed list of codes, each with one remedy. */
export const POLICY_REMEDIES = {
  pending: 'Nothing has been fetched yet: ask again in a moment.',
  unreachable:
    'Check CCP_POLICY_URL, the network, and CCP_UPSTREAM_CA where the server has a certificate of your own.',
  timeout: 'Check that the server answers at CCP_POLICY_URL; it is asked again by itself.',
  http_status: 'Put policy.json where CCP_POLICY_URL says; it must be readable without credentials.',
  redirect: 'Put the final address into CCP_POLICY_URL: redirects are not followed.',
  encoded:
    'Let the server send the file as it is, without content-encoding: the signature is over these very bytes.',
  unsigned: 'Put policy.json.sig, made by "ccp policy sign policy.json", beside policy.json.',
  too_large: 'A pack has at most 1 MiB and its signature at most 1 KiB: is it the right file?',
  bad_signature_text:
    'The signature must be 64 bytes in standard base64: make it anew with "ccp policy sign".',
  bad_signature:
    'The pack was changed after it was signed, or signed with another key: sign it anew, and compare the public key.',
  not_json: 'Mend the JSON and sign it anew.',
  malformed: 'Mend the member that is named and sign the pack anew.',
  own_listener: 'Name the provider itself in "upstreams", not this proxy.',
  not_yet_valid: 'Check the clocks of this machine and of the one that signed.',
  expired: 'Publish a pack with a higher version and a later expires_at.',
  rolled_back:
    'Publish the wanted routes under a version higher than every one before, and with an issued_at that is not earlier.',
  version_reused: 'Give every change of the pack a version of its own.',
  cache_unreadable: 'Nothing to do: the next pack that is fetched replaces the cache. Else delete the file.',
  cache_foreign: 'Nothing to do: the next pack that is fetched replaces the cache.',
} as const;

export type PolicyReason = keyof typeof POLICY_REMEDIES;

export interface Refusal {
  readonly ok: false;
  readonly reason: PolicyReason;
  /** What was seen, as a sentence without its full stop. */
  readonly detail: string;
}

export type Judged<T> = { readonly ok: true; readonly value: T } | Refusal;

export const refuse = (reason: PolicyReason, detail: string): Refusal => ({ ok: false, reason, detail });

/** One line for a person: what was seen, the code, the remedy. */
export const explainRefusal = ({ reason, detail }: Refusal): string =>
  `${detail} (${reason}). ${POLICY_REMEDIES[reason]}`;
