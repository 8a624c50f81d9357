/**
 * What the site kit says of a request, and who says it. Types only.
 */

/** Why something was refused. An expected outcome, never thrown. */
export interface SiteRefused {
  readonly kind: 'refused'
  /** Stable: what the agent said (`site_reserve_empty`, `no_server_license` …), `agent_not_running` or `no_answer`. */
  readonly code: string
  /** A sentence for people. */
  readonly detail: string
  /** Seconds after which it is worth trying again. */
  readonly retryIn?: number
}

export type SiteRefusal = Omit<SiteRefused, 'kind'> & {
  readonly kind: 'refuse'
  /** Of HTTP. */
  readonly status: number
  /** Programs are answered with JSON. */
  readonly isApi: boolean
}

/** What is to be done with a request. */
export type SiteDecision =
  | { readonly kind: 'pass'; readonly access: 'full' | 'administration' | 'open' }
  | { readonly kind: 'redirect'; readonly to: string }
  | SiteRefusal

export interface SiteDecider {
  decide(path: string, signIn: string | undefined): Promise<SiteDecision>
}
