/**
 * Makes a license of a license file. Pure: the same file, key, id and date make the same license, byte by byte.
 */
import { addMonths } from '../domain/documents/calendar.ts'
import { type Opened, openDocument, sealDocument } from '../domain/documents/document.ts'
import type { SigningKey } from '../domain/documents/keys.ts'
import { type LicenseFile, readDate } from './license-file.ts'

export interface IssueFacts {
  readonly file: LicenseFile
  readonly key: SigningKey
  /** Fresh id of the license. */
  readonly id: string
  /** Seconds since 1970. */
  readonly now: number
}

export type IssueOutcome =
  | { readonly kind: 'issued'; readonly license: Opened<'leasehold-license'> }
  /** It would be over before it begins. */
  | { readonly kind: 'over'; readonly endsAt: number }

/** Seconds since 1970 at which a license of this file begins and ends; absent = no limit. */
export function termOf(file: LicenseFile, now: number): { nbf?: number; exp?: number } {
  const nbf = file.starts === undefined ? undefined : readDate(file.starts, 'start')
  const ends = file.ends === undefined ? undefined : readDate(file.ends, 'end')
  const exp = file.months === undefined ? ends : addMonths(nbf ?? now, file.months)
  return { ...(nbf !== undefined && { nbf }), ...(exp !== undefined && { exp }) }
}

export function issueLicense({ file, key, id, now }: IssueFacts): IssueOutcome {
  const term = termOf(file, now)
  if (term.exp !== undefined && term.exp <= now) return { kind: 'over', endsAt: term.exp }
  const { vendor, links, starts: _, ends: __, months, activation, ...terms } = file
  const text = sealDocument(
    'leasehold-license',
    {
      id,
      iat: now,
      vendor: { name: vendor, key: key.jwk, ...(links && { links }) },
      ...terms,
      ...term,
      model: term.exp === undefined ? 'perpetual' : 'subscription',
      ...(months !== undefined && { months }),
      activation: activation ?? { needed: true },
    },
    key,
  )
  const license = openDocument(text, 'leasehold-license', key)
  if (license.kind === 'refused') throw new Error(`a license just signed does not open: ${license.detail}`)
  return { kind: 'issued', license }
}
