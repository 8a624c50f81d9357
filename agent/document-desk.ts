/**
 * Takes in whatever text was pasted or uploaded: recognizes the blocks in it, says what each would do, and does it by handing
 * it to its owner. Owns nothing. Must not import http.
 */

import { isMailed, writeBlock } from './domain/documents/armor.ts'
import { openBlock, readBlocks } from './domain/documents/armor-reader.ts'
import { type AnyOpened, documentNames, type Opened, openAnyDocument } from './domain/documents/document.ts'
import { shortGroups, verifyingKey } from './domain/documents/keys.ts'
import { LeaseholdError, type Refusal, refuse } from './errors.ts'
import type { LicenseShelf } from './license-shelf.ts'
import type { Licenses } from './licenses.ts'
import type { VendorTrust } from './vendor-trust.ts'

export interface RecognizedView {
  type: string
  id?: string
  license?: string
  summary: string
  effect: string
  fingerprint?: string
  applied: boolean
  refused?: { code: string; detail: string }
}

export interface DocumentDeskOptions {
  readonly licenses: Licenses
  readonly shelf: LicenseShelf
  readonly vendors: VendorTrust
}

export class DocumentDesk {
  readonly #options: DocumentDeskOptions

  constructor(options: DocumentDeskOptions) {
    this.#options = options
  }

  /** Installs every license in the text. Refused when there is none, or one can't be installed; what came before stays. */
  async addLicenses(
    text: string,
    trust: boolean,
  ): Promise<{ readonly kind: 'added'; readonly ids: readonly string[] } | Refusal> {
    const opened = this.#open(text)
    if (!Array.isArray(opened)) return opened
    const licenses = opened.filter(
      (one): one is Opened<'leasehold-license'> => one.kind === 'opened' && one.typ === 'leasehold-license',
    )
    const wrong = opened.find((one) => one.kind === 'refused')
    if (licenses.length === 0) {
      if (wrong) return wrong
      const [other] = opened
      const what = other?.kind === 'opened' ? documentNames[other.typ] : 'block'
      return refuse('not_a_document', `This is a block of the kind “${what}”; a license is wanted here.`)
    }
    const ids: string[] = []
    for (const license of licenses) {
      const outcome = await this.#options.licenses.install(license, trust)
      if (outcome.kind === 'refused') return outcome
      ids.push(outcome.id)
    }
    return { kind: 'added', ids }
  }

  /** Applies the answer for one license. */
  async activate(id: string, text: string): Promise<{ readonly kind: 'activated' } | Refusal> {
    const opened = this.#open(text)
    if (!Array.isArray(opened)) return opened
    const wrong = opened.find((one) => one.kind === 'refused')
    if (wrong) return wrong
    const documents = opened.filter((one) => one.kind === 'opened')
    const answer = documents.find((one) => one.typ === 'leasehold-activation')
    if (!answer) {
      const what = documents[0] === undefined ? 'block' : documentNames[documents[0].typ]
      return refuse('not_a_document', `This is a block of the kind “${what}”; the vendor's activation is wanted here.`)
    }
    const outcome = await this.#options.licenses.activate(answer.text, id)
    return outcome.kind === 'refused' ? outcome : { kind: 'activated' }
  }

  /** @param apply false: only say what it would do */
  async process(
    text: string,
    { apply, trust }: { readonly apply: boolean; readonly trust: boolean },
  ): Promise<{ readonly kind: 'recognized'; readonly documents: readonly RecognizedView[] } | Refusal> {
    const opened = this.#open(text)
    if (!Array.isArray(opened)) return opened
    const documents: RecognizedView[] = []
    for (const one of opened) {
      if (one.kind === 'refused') {
        if (opened.length === 1) return one
        documents.push({
          type: 'unknown',
          summary: 'A block that can not be used.',
          effect: 'Nothing.',
          applied: false,
          refused: one,
        })
        continue
      }
      const outcome = apply ? await this.#apply(one, trust) : this.#check(one, trust)
      if (outcome && apply && opened.length === 1) return outcome
      documents.push({
        ...describe(one),
        applied: apply && outcome === undefined,
        ...(outcome === undefined ? {} : { refused: { code: outcome.code, detail: outcome.detail } }),
      })
    }
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
    return [...reading.blocks.map((block) => openBlock(block, (signer) => this.#keyOf(signer))), ...damaged]
  }

  /** Vendors sign activations without their key; the installed licenses carry it. */
  #keyOf(signer: string) {
    const license = this.#options.shelf.list().find((one) => one.license.signer === signer)
    return license ? verifyingKey(license.license.payload.vendor.key) : this.#options.vendors.keyOf(signer)
  }

  async #apply(document: AnyOpened, trust: boolean): Promise<Refusal | undefined> {
    const { licenses } = this.#options
    const outcome =
      document.typ === 'leasehold-license'
        ? await licenses.install(document, trust)
        : document.typ === 'leasehold-activation'
          ? await licenses.activate(document.text, document.payload.license)
          : notForUs(document)
    return outcome.kind === 'refused' ? outcome : undefined
  }

  #check(document: AnyOpened, trust: boolean): Refusal | undefined {
    const { licenses } = this.#options
    if (document.typ === 'leasehold-license') return licenses.checkInstall(document, trust)
    if (document.typ === 'leasehold-activation') return licenses.checkActivation(document)
    return notForUs(document)
  }
}

function notForUs(document: AnyOpened): Refusal {
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
  return { ...base, summary: `A block of the kind “${documentNames[document.typ]}”.`, effect: 'Nothing on this agent.' }
}
