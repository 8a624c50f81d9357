/**
 * The documents of a detachment: the manager's text for one recipient with the texts above it, and the recipient's receipt that it
 * was given back (R23). Pure builders and checkers; whether a version is the latest is for who keeps it.
 */
import { endScope, licenseScope, narrowScope, type Scope } from '../proof-scope.ts'
import { hashText } from './base64url.ts'
import { type AnyOpened, type Opened, openDocument, sealDocument } from './document.ts'
import { keyId, type PublicJwk, type SigningKey, verifyingKey } from './keys.ts'
import type { License } from './license.ts'
import type { Detachment } from './links.ts'
import { type DocumentRefusal, refuseDocument } from './refusal.ts'

export interface DetachmentFacts {
  readonly id: string
  readonly version: number
  /** Seconds since 1970, by the date that the license goes by here. */
  readonly now: number
  readonly exp: number
  /** License, its activation where there is one, and the links down to the agent that signs. */
  readonly above: readonly string[]
  readonly recipient: PublicJwk
  readonly product: string
  readonly feature?: string
  readonly any?: boolean
  readonly seats: number
  readonly rule: License['count']
  /** Over how many agents it may be passed on from there; 0: it is for that machine only. */
  readonly depth: number
  readonly manager: { readonly key: SigningKey; readonly name: string }
}

export function buildDetachment(facts: DetachmentFacts): string {
  const { above, manager } = facts
  const parent = above.at(-1)
  if (parent === undefined) throw new TypeError('a detachment is below a license')
  return sealDocument(
    'leasehold-detachment',
    {
      id: facts.id,
      version: facts.version,
      iat: facts.now,
      parent: hashText(parent),
      next: facts.recipient,
      product: facts.product,
      ...(facts.feature === undefined ? {} : { feature: facts.feature }),
      ...(facts.any === true ? { any: true as const } : {}),
      seats: facts.seats,
      count: facts.rule,
      depth: facts.depth,
      exp: facts.exp,
      manager: { key: manager.key.jwk, name: manager.name.slice(0, 255) || manager.key.id },
    },
    manager.key,
  )
}

/** A detachment whose texts fit together, from the license down. */
export interface CheckedDetachment {
  readonly kind: 'detachment'
  readonly payload: Detachment
  readonly license: License
  /** Id of the vendor key that signed the license. */
  readonly vendorKey: string
  /** Id of the agent that signed it. */
  readonly signer: string
  /** License and so on down to the detachment. */
  readonly texts: readonly string[]
  /** Whether an application can be shown a proof: a license that needs no activation gives none. */
  readonly proves: boolean
}

/**
 * Checks texts that came together: each follows the one before, is signed by whom that one names, and allows no more.
 * @param texts from the license to the detachment
 */
export function checkDetachment(texts: readonly string[]): CheckedDetachment | DocumentRefusal {
  const [licenseText = '', ...below] = texts
  if (below.length === 0) return incomplete('The license and what follows from it are missing.')
  const license = openDocument(licenseText, 'leasehold-license')
  if (license.kind === 'refused') return license
  const last = below.at(-1)
  if (last === undefined || below.length > 6) return incomplete('The detachment itself is missing.')
  let scope: Scope | string = licenseScope(license.payload)
  let parent = license.hash
  let signer: { readonly id: string; readonly jwk: PublicJwk } | undefined
  let links = below
  const activation = below.length > 1 ? openActivation(below[0] ?? '', license) : undefined
  if (activation !== undefined) {
    if (activation.kind === 'refused') return activation
    if (activation.payload.parent !== license.hash)
      return refuseDocument('document_altered', 'The activation is for another text of the license.')
    scope = endScope(licenseScope(license.payload), activation.payload.exp)
    parent = activation.hash
    signer = { id: keyId(activation.payload.next), jwk: activation.payload.next }
    links = below.slice(1)
  } else if (license.payload.activation.needed) return incomplete('The activation of the license is missing.')
  for (const text of links) {
    if (typeof scope === 'string')
      return refuseDocument('document_invalid', `It is more than the license allows: ${scope}.`)
    const opened = openLink(text, signer)
    if (opened.kind === 'refused') return opened
    if (opened.payload.parent !== parent)
      return refuseDocument('document_altered', 'It belongs to another license or activation than the texts with it.')
    scope = narrowScope(scope, opened.payload)
    parent = opened.hash
    if (text !== last) {
      signer = { id: keyId(opened.payload.next), jwk: opened.payload.next }
      continue
    }
    if (opened.typ !== 'leasehold-detachment') return incomplete('The detachment itself is missing.')
    if (typeof scope === 'string')
      return refuseDocument('document_invalid', `It is more than the license allows: ${scope}.`)
    return {
      kind: 'detachment',
      payload: opened.payload,
      license: license.payload,
      vendorKey: license.signer,
      signer: opened.signer,
      texts: [...texts],
      proves: activation !== undefined,
    }
  }
  return incomplete('The detachment itself is missing.')
}

function openActivation(text: string, license: Opened<'leasehold-license'>) {
  const opened = openDocument(text, 'leasehold-activation', verifyingKey(license.payload.vendor.key))
  if (opened.kind === 'refused' && opened.code === 'not_a_document' && !license.payload.activation.needed)
    return undefined
  return opened
}

/** @param signer whom the link above names; absent where the license names nobody: then it is whoever signed it */
function openLink(
  text: string,
  signer: { readonly id: string; readonly jwk: PublicJwk } | undefined,
): Opened<'leasehold-lease'> | Opened<'leasehold-detachment'> | DocumentRefusal {
  const key = signer && verifyingKey(signer.jwk)
  const detachment = openDocument(text, 'leasehold-detachment', key)
  if (detachment.kind === 'opened' || detachment.code !== 'not_a_document' || key === undefined) return detachment
  return openDocument(text, 'leasehold-lease', key)
}

function incomplete(detail: string): DocumentRefusal {
  return refuseDocument('document_altered', `${detail} Paste the whole text as it came.`)
}

/**
 * The texts of a detachment among those that were pasted together: it and all above it that are there.
 * @returns from the license down
 */
export function gatherTexts(detachment: Opened<'leasehold-detachment'>, others: readonly AnyOpened[]): string[] {
  const byHash = new Map(others.map((one) => [one.hash, one]))
  const texts = [detachment.text]
  let parent: string | undefined = detachment.payload.parent
  while (parent !== undefined && texts.length < 8) {
    const above: AnyOpened | undefined = byHash.get(parent)
    if (above === undefined) break
    texts.unshift(above.text)
    parent = 'parent' in above.payload ? above.payload.parent : undefined
  }
  return texts
}

export interface ReturnFacts {
  readonly id: string
  /** Seconds since 1970. */
  readonly now: number
  readonly detachment: string
  /** The latest that this machine has. */
  readonly version: number
}

export function buildReturn({ id, now, detachment, version }: ReturnFacts, agent: SigningKey): string {
  return sealDocument('leasehold-return', { id, iat: now, agent: agent.id, key: agent.jwk, detachment, version }, agent)
}
