/**
 * What owners say of blocks of text that were pasted: what each is, what it would do, and why it can not be used. `kind` is one of the
 * kinds of documents. Each pair: the key of the text in the catalogs, under `owner.`, and the English sentence. Must not import owners.
 */

export const blockSentences: readonly (readonly [key: string, english: RegExp])[] = [
  // what it is and does
  [
    'detached_version',
    /^(?<seats>\d+) × (?<product>\S+), detached until (?<at>[\d :-]+ UTC) \(version (?<version>\d+)\)\.$/,
  ],
  [
    'detached_from_version',
    /^(?<seats>\d+) × (?<product>\S+) from (?<name>.+), detached until (?<at>[\d :-]+ UTC) \(version (?<version>\d+)\)\.$/,
  ],
  ['detached_until', /^(?<seats>\d+) × (?<product>\S+), detached until (?<at>[\d :-]+ UTC)\.$/],
  ['detached_from', /^(?<seats>\d+) × (?<product>\S+) from (?<name>.+), detached until (?<at>[\d :-]+ UTC)\.$/],
  ['attaches', /^Attaches the seats to this machine; they work with no network until (?<at>[\d :-]+ UTC)\.$/],
  ['is_receipt', /^A receipt: the seats of detachment (?<id>\S+) \(version (?<version>\d+)\) were given back\.$/],
  ['frees_seats', /^Frees its seats here\.$/],
  ['is_license_for', /^A license of (?<vendor>[^:]+): (?<what>.+), for (?<customer>.+)\.$/],
  ['is_license', /^A license of (?<vendor>[^:]+): (?<what>.+)\.$/],
  ['installs_inactive', /^Installs it; it gives out seats once it is activated\.$/],
  ['installs', /^Installs it; it gives out seats at once\.$/],
  ['is_activation', /^Activation (?<number>\d+) of license (?<license>\S+)\.$/],
  ['binds', /^Binds the license to this agent and its hardware; it gives out seats then\.$/],
  ['names_machine', /^Names the machine (?<name>.+); made at (?<at>[\d :-]+ UTC)\.$/],
  ['detach_with_it', /^Nothing by itself: detach for that machine with it\.$/],
  ['is_kind', /^A block of the kind “(?<kind>[\w ]+)”\.$/],
  ['nothing_here', /^Nothing on this agent\.$/],
  ['unusable', /^A block that can not be used\.$/],
  ['nothing', /^Nothing\.$/],
  // what it is not
  ['license_wanted', /^This is a block of the kind “(?<kind>[\w ]+)”; a license is wanted here\.$/],
  ['activation_wanted', /^This is a block of the kind “(?<kind>[\w ]+)”; the vendor's activation is wanted here\.$/],
  ['is_recipient', /^It names a machine: give it as the recipient when you detach seats\.$/],
  [
    'kind_not_applied',
    /^A block of the kind “(?<kind>[\w ]+)” is not applied on an agent; it is meant for the vendor or for another machine\.$/,
  ],
  ['no_recipient_block', /^There is no recipient block in this text\.$/],
  ['no_block', /^There is no block in this text\.$/],
  ['part_of_block', /^Only a part of a block was found\.$/],
  ['text_too_long', /^A text has at most (?<size>\d+) KB\.$/],
  ['unknown_kind', /^There is no kind of document called (?<name>.+)\.$/],
  ['other_kind', /^This is a document of the kind "(?<kind>[\w ]+)"; "(?<wanted>[\w ]+)" is wanted\.$/],
  // damaged, or signed by another
  ['damaged_label', /^The block “(?<label>.*)” was damaged on its way\.$/],
  ['checksum', /^The block is not what its checksum says: it was damaged or changed on its way\.$/],
  ['misspelled', /^The document is not spelled as it was signed\.$/],
  ['signer_unknown', /^It is signed with a key that is not known here\.$/],
  ['names_other_signer', /^The block names another agent than its signer\.$/],
  ['names_other_key', /^The (?<kind>[\w ]+) names another key than the one that signed it\.$/],
  ['signature_wrong', /^The signature of the (?<kind>[\w ]+) does not fit\.$/],
  ['format_unknown', /^The (?<kind>[\w ]+) has a format that this version does not know\.$/],
  ['can_not_be', /^The (?<kind>[\w ]+) says something that can not be: (?<reason>.+)\.$/],
  // a detachment with what belongs to it
  ['license_missing', /^The license and what follows from it are missing\. Paste the whole text as it came\.$/],
  ['activation_missing', /^The activation of the license is missing\. Paste the whole text as it came\.$/],
  ['detachment_missing', /^The detachment itself is missing\. Paste the whole text as it came\.$/],
  ['other_license_text', /^The activation is for another text of the license\.$/],
  ['other_parent', /^It belongs to another license or activation than the texts with it\.$/],
  ['more_than_allowed', /^It is more than the license allows: (?<reason>.+)\.$/],
  // vendors and licenses
  ['vendor_new', /^The vendor “(?<vendor>.+)” is new here\. Its key has the fingerprint (?<fingerprint>[\w-]+)\.$/],
  ['vendor_key_other', /^A vendor “(?<vendor>.+)” with another key is trusted here already\.$/],
  ['activation_of_other', /^The activation is for license (?<license>\S+)\.$/],
  ['installed_already', /^This license is installed already\.$/],
  ['installed_other', /^A license with this id and another text is installed\. Remove that one first\.$/],
  ['no_license_of_id', /^No license (?<license>\S+) is installed here\.$/],
]
