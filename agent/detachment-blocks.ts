/**
 * Detachments by hand: the blocks of text that are mailed, and what pasted ones do (S11). Says what a block is, whether it can be
 * applied, and applies it by handing it to its owner. Owns nothing. Must not import http.
 */
import type { DetachmentHolding } from './detachment-holding.ts'
import type { DetachmentReturning } from './detachment-returning.ts'
import { isMailed, spellTime, writeBlock } from './domain/documents/armor.ts'
import { checkDetachment, gatherTexts } from './domain/documents/detachment.ts'
import { type AnyOpened, type Opened, openAnyDocument } from './domain/documents/document.ts'
import { verifyingKey } from './domain/documents/keys.ts'
import type { DocumentRefusal } from './domain/documents/refusal.ts'
import { LeaseholdError, type Refusal } from './errors.ts'

export interface DetachmentBlocksOptions {
  readonly holding: Pick<DetachmentHolding, 'check' | 'attach' | 'noteLaterVersion'>
  readonly returning: Pick<DetachmentReturning, 'checkReceipt' | 'applyReceipt'>
}

export type DetachmentDocument = Opened<'leasehold-detachment'> | Opened<'leasehold-return'>

/** What came of applying one. */
export interface AppliedBlock {
  readonly refused?: Refusal | DocumentRefusal
  /** A block to be brought back: the receipt for what was given back already. */
  readonly block?: string
}

export function isOfDetachments(document: AnyOpened): document is DetachmentDocument {
  return document.typ === 'leasehold-detachment' || document.typ === 'leasehold-return'
}

export class DetachmentBlocks {
  readonly #options: DetachmentBlocksOptions

  constructor(options: DetachmentBlocksOptions) {
    this.#options = options
  }

  /** @param others all that was pasted with it */
  check(document: DetachmentDocument, others: readonly AnyOpened[]): Refusal | DocumentRefusal | undefined {
    const { holding, returning } = this.#options
    if (document.typ === 'leasehold-return') return returning.checkReceipt(document)
    const checked = checkDetachment(gatherTexts(document, others))
    return checked.kind === 'refused' ? checked : holding.check(checked)
  }

  async apply(document: DetachmentDocument, others: readonly AnyOpened[]): Promise<AppliedBlock> {
    const { holding, returning } = this.#options
    if (document.typ === 'leasehold-return') {
      const refused = await returning.applyReceipt(document)
      return refused === undefined ? {} : { refused }
    }
    const checked = checkDetachment(gatherTexts(document, others))
    if (checked.kind === 'refused') return { refused: checked }
    const attached = await holding.attach(checked, {})
    if (attached.kind === 'attached') return {}
    const receipt = attached.code === 'already_returned' ? await holding.noteLaterVersion(checked) : undefined
    return { refused: attached, ...(receipt === undefined ? {} : { block: blockOf([receipt]) }) }
  }

  describe(document: DetachmentDocument): {
    readonly summary: string
    readonly effect: string
    readonly detachment: string
  } {
    if (document.typ === 'leasehold-return') {
      const { detachment, version } = document.payload
      return {
        detachment,
        summary: `A receipt: the seats of detachment ${detachment} (version ${version}) were given back.`,
        effect: 'Frees its seats here.',
      }
    }
    const { id, version, product, seats, exp, manager } = document.payload
    const from = manager === undefined ? '' : ` from ${manager.name}`
    return {
      detachment: id,
      summary: `${seats} × ${product}${from}, detached until ${spellTime(exp)}${version === 1 ? '' : ` (version ${version})`}.`,
      effect: `Attaches the seats to this machine; they work with no network until ${spellTime(exp)}.`,
    }
  }
}

/**
 * Blocks of text of documents of our own, one after the other. The last one comes first, so that a text that was cut off
 * is not a license to be installed. @param texts from the license down
 */
export function blockOf(texts: readonly string[]): string {
  const opened: AnyOpened[] = []
  for (const text of texts) {
    const one = openAnyDocument(text, (signer) => keyIn(opened, signer))
    if (one.kind === 'refused' || !isMailed(one))
      throw new LeaseholdError('internal_error', 'A document of our own does not open.')
    opened.push(one)
  }
  return opened.filter(isMailed).map(writeBlock).reverse().join('\n')
}

/** The key of a signer as the documents that were opened before carry it. */
export function keyIn(documents: readonly AnyOpened[], signer: string) {
  for (const one of documents)
    if (one.typ === 'leasehold-license' && one.signer === signer) return verifyingKey(one.payload.vendor.key)
  return undefined
}
