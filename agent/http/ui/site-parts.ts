/**
 * What the pages need of reserves and web sites, in the shapes of the interface. Types only; must not import owners.
 */
import type { z } from 'zod'
import type { Refusal } from '../../errors.ts'
import type { Reserve, reserveWish, Site, SiteWish } from '../api/site-shapes.ts'
import type { listErrors } from './settings-form.ts'

/** A field of a form, as its component takes it. */
export interface SiteField {
  readonly id: string
  readonly name: string
  readonly label: string
  readonly type: 'text' | 'number'
  readonly value: string
  readonly hint?: string
  readonly error: string | undefined
  readonly min?: number
  readonly max?: number
  readonly unit?: string
  readonly required?: boolean
}

/** The forms of the pages, with what was typed where it was refused. */
export interface SiteForms {
  readonly site: readonly SiteField[]
  readonly reserve: readonly SiteField[]
  readonly errors?: ReturnType<typeof listErrors>
}

export interface ReservesPart {
  list(): readonly Reserve[]
  /** Refused: invalid_request with `fields`. */
  put(id: string, wish: z.output<typeof reserveWish>): Promise<{ readonly kind: 'put' } | Refusal>
  remove(id: string): Promise<{ readonly kind: 'removed' } | Refusal>
}

export interface SitesPart {
  list(): readonly Site[]
  get(id: string): Site | undefined
  /** @returns with the token where the site is new. Refused: invalid_request with `fields`. */
  define(id: string, wish: SiteWish): Promise<{ readonly kind: 'defined'; readonly token?: string } | Refusal>
  renewToken(id: string): Promise<{ readonly kind: 'renewed'; readonly token: string } | Refusal>
  remove(id: string): Promise<{ readonly kind: 'removed' } | Refusal>
  recycle(id: string): Promise<{ readonly kind: 'recycled' } | Refusal>
}
