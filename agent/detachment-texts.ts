/**
 * The texts of detachments that this agent makes: what is above a supply's seats, and the signed document below it. Reads who owns
 * licenses and records; owns nothing.
 */
import type { DetachmentBook } from './detachment-book.ts'
import type { DetachRecipient, OutRecord } from './detachment-record.ts'
import { buildDetachment, checkDetachment } from './domain/documents/detachment.ts'
import type { SigningKey } from './domain/documents/keys.ts'
import type { License } from './domain/documents/license.ts'
import type { ProductName } from './domain/product-name.ts'
import { isAnyProduct, type Supply } from './domain/supply.ts'
import type { LicenseShelf } from './license-shelf.ts'
import type { AgentName } from './session-view.ts'

export interface DetachmentTextsParts {
  readonly shelf: Pick<LicenseShelf, 'get'>
  readonly book: Pick<DetachmentBook, 'in'>
  readonly agent: SigningKey
  readonly self: () => AgentName
}

export interface SignedSeats {
  readonly id: string
  readonly recipient: Pick<DetachRecipient, 'key'>
  readonly product: ProductName
  readonly feature?: string
  readonly seats: number
}

export class DetachmentTexts {
  readonly #parts: DetachmentTextsParts

  constructor(parts: DetachmentTextsParts) {
    this.#parts = parts
  }

  /** @returns undefined when its license is gone */
  sign(
    supply: Supply,
    { id, recipient, product, feature, seats }: SignedSeats,
    { version, until, now }: { readonly version: number; readonly until: number; readonly now: number },
  ): string[] | undefined {
    const { agent, self } = this.#parts
    const above = this.#above(supply)
    if (above === undefined) return undefined
    const text = buildDetachment({
      id,
      version,
      now: Math.floor(now / 1000),
      exp: Math.floor(until / 1000),
      above,
      recipient: recipient.key,
      product,
      ...(feature === undefined ? {} : { feature }),
      ...(isAnyProduct(supply) ? { any: true } : {}),
      seats,
      rule: supply.rule,
      depth: supply.depth - 1,
      manager: { key: agent, name: self().name },
    })
    return [...above, text]
  }

  #above(supply: Supply): readonly string[] | undefined {
    const { shelf, book, agent } = this.#parts
    if (supply.kind === 'detachment') return book.in(supply.id)?.texts
    const installed = shelf.get(supply.license)
    if (!installed) return undefined
    const { license, activation } = installed
    return activation?.payload.agent === agent.id ? [license.text, activation.text] : [license.text]
  }

  /** A text that this agent signed below a license that it has, with all above it. */
  readOwn(text: string, supplies: Iterable<Supply>) {
    for (const supply of supplies) {
      if (supply.kind !== 'license') continue
      const above = this.#above(supply)
      if (above === undefined) continue
      const checked = checkDetachment([...above, text])
      if (checked.kind === 'detachment' && checked.signer === this.#parts.agent.id) return checked
    }
    return undefined
  }

  /** What the license says of detaching. */
  rulesOf(license: string): License['detach'] {
    return this.#parts.shelf.get(license)?.license.payload.detach
  }

  earlyReturnOf(supply: Supply | undefined): OutRecord['earlyReturn'] {
    if (supply === undefined) return 'offline'
    if (supply.kind === 'detachment') return this.#parts.book.in(supply.id)?.terms?.earlyReturn ?? 'offline'
    return this.rulesOf(supply.license)?.earlyReturn ?? 'offline'
  }
}

/** Whose time counts for what comes from the supply, nearest first. */
export function signersOf({ vendorKey, chain }: Supply): string[] {
  return [...[...chain].reverse(), ...(vendorKey === undefined ? [] : [vendorKey])]
}
