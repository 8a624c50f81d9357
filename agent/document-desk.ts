/**
 * Takes in whatever text was pasted or uploaded: recognizes the blocks in it, says what each would do, and does it by handing
 * it to its owner. Owns nothing. Must not import http.
 */
import { type DetachmentBlocks, isOfDetachments, keyIn } from './detachment-blocks.ts'
import { isMailed, spellTime, writeBlock } from './domain/documents/armor.ts'
import { claimedName, openBlock, readBlocks } from './domain/documents/armor-reader.ts'
import { type AnyOpened, documentNames, openAnyDocument } from './domain/documents/document.ts'
import { shortGroups, verifyingKey } from './domain/documents/keys.ts'
import type { DocumentRefusal } from './domain/documents/refusal.ts'
import { LeaseholdError, type Refusal, refuse } from './errors.ts'
import type { LicenseShelf } from './license-shelf.ts'
import type { Licenses } from './licenses.ts'
import type { VendorTrust } from './vendor-trust.ts'

export interface RecognizedView {
  type: string
  id?: string
  license?: string
  detachment?: string
  summary: string
  effect: string
  fingerprint?: string
  applied: boolean
  refused?: { code: string; detail: string }
  /** To be brought back to the sender. */
  block?: string
}

export interface DocumentDeskOptions {
  readonly licenses: Licenses
  readonly shelf: LicenseShelf
  readonly vendors: VendorTrust
  /** Absent: nothing is detached. */
  readonly detachments?: DetachmentBlocks
}

export class DocumentDesk {
  readonly #options: DocumentDeskOptions

  constructor(options: DocumentDeskOptions) {
    this.#options = options
  }

  /**
   * Installs every license in the text, or none where one can't be. What is installed already is passed over as long as there
   * is something new.
   */
  async addLicenses(
    text: string,
    trust: boolean,
  ): Promise<{ readonly kind: 'added'; readonly ids: readonly string[] } | Refusal> {
    const opened = this.#open(text)
    if (!Array.isArray(opened)) return opened
    const wrong = opened.find((one) => one.kind === 'refused')
    if (wrong) return wrong
    const found = opened.filter((one) => one.kind === 'opened')
    const licenses = found.filter((one) => one.typ === 'leasehold-license')
    if (licenses.length === 0) return notWanted(found, 'a license')
    const { licenses: owner } = this.#options
    const checked = licenses.map((license) => ({ license, refused: owner.checkInstall(license, trust) }))
    const refused = checked.find((one) => one.refused !== undefined && one.refused.code !== 'already_applied')?.refused
    if (refused) return refused
    const fresh = checked.filter((one) => one.refused === undefined)
    const [first] = checked
    if (fresh.length === 0 && first?.refused) return first.refused
    const ids: string[] = []
    for (const { license } of fresh) {
      const outcome = await owner.install(license, trust)
      if (outcome.kind === 'refused') return outcome
      ids.push(outcome.id)
    }
    return { kind: 'added', ids }
  }

  /** Applies the answer for one license; whatever else stands in the text (quoted mail, say) does not matter then. */
  async activate(id: string, text: string): Promise<{ readonly kind: 'activated' } | Refusal> {
    const opened = this.#open(text)
    if (!Array.isArray(opened)) return opened
    const found = opened.filter((one) => one.kind === 'opened')
    const answers = found.filter((one) => one.typ === 'leasehold-activation')
    const answer = answers.find((one) => one.payload.license === id)
    if (answer) {
      const outcome = await this.#options.licenses.activate(answer)
      return outcome.kind === 'refused' ? outcome : { kind: 'activated' }
    }
    const [other] = answers
    if (other)
      return refuse('wrong_recipient', `The activation is for license ${other.payload.license}.`, {
        license: other.payload.license,
      })
    return opened.find((one) => one.kind === 'refused') ?? notWanted(found, "the vendor's activation")
  }

  /** @param apply false: only say what it would do */
  async process(
    text: string,
    { apply, trust }: { readonly apply: boolean; readonly trust: boolean },
  ): Promise<{ readonly kind: 'recognized'; readonly documents: readonly RecognizedView[] } | Refusal> {
    const opened = this.#open(text)
    if (!Array.isArray(opened)) return opened
    const documents: RecognizedView[] = []
    const refusals: Refusal[] = []
    const found = opened.filter((one) => one.kind === 'opened')
    const rest = brings(text, 'detachment') ? opened.filter((one) => one.kind === 'refused' || !isRoot(one)) : opened
    for (const one of rest) {
      if (one.kind === 'refused') {
        if (rest.length === 1) return one
        refusals.push(one)
        documents.push({
          type: 'unknown',
          summary: 'A block that can not be used.',
          effect: 'Nothing.',
          applied: false,
          refused: one,
        })
        continue
      }
      const { refused, block } = apply
        ? await this.#apply(one, trust, found)
        : { refused: this.#check(one, trust, found), block: undefined }
      if (refused && apply && block === undefined && rest.length === 1)
        return refuse(refused.code, refused.detail, refused.facts)
      if (refused && block === undefined) refusals.push(refuse(refused.code, refused.detail, refused.facts))
      documents.push({
        ...this.#describe(one),
        applied: apply && refused === undefined,
        ...(refused === undefined ? {} : { refused: { code: refused.code, detail: refused.detail } }),
        ...(block === undefined ? {} : { block }),
      })
    }
    const [first] = refusals
    if (apply && first !== undefined && refusals.length === documents.length) return first
    return { kind: 'recognized', documents }
  }

  /** A document of our own as a block that a person can mail. */
  writeBlock(text: string): string {
    const opened = openAnyDocument(text, () => undefined)
    if (opened.kind === 'refused' || !isMailed(opened))
      throw new LeaseholdError('internal_error', 'A document of our own does not open.')
    return writeBlock(opened)
  }

  #open(text: string): (AnyOpened | Refusal)[] | Refusal {
    const reading = readBlocks(text)
    if (reading.kind === 'refused') return reading
    const damaged = reading.damaged.map((label) =>
      refuse('document_altered', `The block “${label}” was damaged on its way.`),
    )
    const carried = reading.blocks.flatMap((block) => {
      const opened = openBlock(block, () => undefined)
      return opened.kind === 'opened' ? [opened] : []
    })
    const keyOf = (signer: string) => this.#keyOf(signer) ?? keyIn(carried, signer)
    return [...reading.blocks.map((block) => openBlock(block, keyOf)), ...damaged]
  }

  /** Vendors sign activations without their key; the installed licenses carry it. */
  #keyOf(signer: string) {
    const license = this.#options.shelf.list().find((one) => one.license.signer === signer)
    return license ? verifyingKey(license.license.payload.vendor.key) : this.#options.vendors.keyOf(signer)
  }

  async #apply(
    document: AnyOpened,
    trust: boolean,
    others: readonly AnyOpened[],
  ): Promise<{ readonly refused?: Refusal | DocumentRefusal | undefined; readonly block?: string | undefined }> {
    const { licenses, detachments } = this.#options
    if (detachments && isOfDetachments(document)) return await detachments.apply(document, others)
    const outcome =
      document.typ === 'leasehold-license'
        ? await licenses.install(document, trust)
        : document.typ === 'leasehold-activation'
          ? await licenses.activate(document)
          : notForUs(document)
    return { refused: outcome.kind === 'refused' ? outcome : undefined }
  }

  #check(document: AnyOpened, trust: boolean, others: readonly AnyOpened[]): Refusal | DocumentRefusal | undefined {
    const { licenses, detachments } = this.#options
    if (detachments && isOfDetachments(document)) return detachments.check(document, others)
    if (document.typ === 'leasehold-license') return licenses.checkInstall(document, trust)
    if (document.typ === 'leasehold-activation') return licenses.checkActivation(document)
    return notForUs(document)
  }

  #describe(document: AnyOpened): Omit<RecognizedView, 'applied' | 'refused'> {
    const { detachments } = this.#options
    const described = describe(document)
    return detachments && isOfDetachments(document) ? { ...described, ...detachments.describe(document) } : described
  }
}

/** Whether a block in the text says that it is one of that kind, be it damaged. */
function brings(text: string, kind: 'detachment'): boolean {
  const reading = readBlocks(text)
  if (reading.kind === 'refused') return false
  const isIn = (label: string): boolean => label.toLowerCase().includes(kind)
  return reading.blocks.some((block) => claimedName(block) === kind) || reading.damaged.some(isIn)
}

/** Where a detachment is with it, it is what that is below: nothing to be installed here. */
function isRoot({ typ }: AnyOpened): boolean {
  return typ === 'leasehold-license' || typ === 'leasehold-activation'
}

function notWanted([found]: readonly AnyOpened[], wanted: string): Refusal {
  const what = found === undefined ? 'block' : documentNames[found.typ]
  return refuse('not_a_document', `This is a block of the kind “${what}”; ${wanted} is wanted here.`)
}

function notForUs(document: AnyOpened): Refusal {
  if (document.typ === 'leasehold-recipient')
    return refuse('wrong_recipient', 'It names a machine: give it as the recipient when you detach seats.')
  const what = documentNames[document.typ]
  return refuse(
    'wrong_recipient',
    `A block of the kind “${what}” is not applied on an agent; it is meant for the vendor or for another machine.`,
  )
}

function describe(document: AnyOpened): Omit<RecognizedView, 'applied' | 'refused'> {
  const base = {
    type: documentNames[document.typ].replaceAll(' ', '-'),
    id: document.payload.id,
    fingerprint: shortGroups(document.signer),
  }
  if (document.typ === 'leasehold-license') {
    const { vendor, products, customer } = document.payload
    const what = products
      .map((entry) => `${entry.seats} × ${'any' in entry ? 'any product' : (entry.title ?? entry.name)}`)
      .join(', ')
    return {
      ...base,
      license: document.payload.id,
      summary: `A license of ${vendor.name}: ${what}${customer === undefined ? '' : `, for ${customer}`}.`,
      effect: document.payload.activation.needed
        ? 'Installs it; it gives out seats once it is activated.'
        : 'Installs it; it gives out seats at once.',
    }
  }
  if (document.typ === 'leasehold-activation') {
    const { license, number } = document.payload
    return {
      ...base,
      license,
      summary: `Activation ${number} of license ${license}.`,
      effect: 'Binds the license to this agent and its hardware; it gives out seats then.',
    }
  }
  if (document.typ === 'leasehold-recipient') {
    const { name, iat } = document.payload
    return {
      ...base,
      summary: `Names the machine ${name}; made at ${spellTime(iat)}.`,
      effect: 'Nothing by itself: detach for that machine with it.',
    }
  }
  return { ...base, summary: `A block of the kind “${documentNames[document.typ]}”.`, effect: 'Nothing on this agent.' }
}
