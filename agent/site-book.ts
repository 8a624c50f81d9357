/**
 * The records of web sites and of who is signed in at them: as committed, and what the batch that is being decided makes of them.
 * Only `sites.ts` and `site-sign-ins.ts` use it and decide what is written.
 */
import type { ProductName } from './domain/product-name.ts'
import type { JsonValue, StoredRecord } from './store/store.ts'
import type { RecordOwner, Transaction } from './writes.ts'

/** When all seats of the clients are given back and taken anew. */
export interface RecycleSchedule {
  /** Five fields: minute, hour, day, month, weekday. */
  readonly cron: string
  /** As the IANA names it. */
  readonly zone: string
}

export interface SiteDefinition {
  readonly serverProduct: ProductName
  readonly clientProduct: ProductName
  /** For clients. */
  readonly seats: number
  readonly recycle: RecycleSchedule
  readonly inactivityMinutes: number
}

export interface SiteRecord extends SiteDefinition {
  readonly id: string
  /** SHA-256 in base64url; the token itself is stored nowhere. */
  readonly tokenHash: string
  readonly isStarted: boolean
  /** Wall time in ms, for people; so are the others. */
  readonly startedAt?: number
  readonly recycledAt?: number
}

export interface SiteUser {
  readonly account?: string
  readonly email?: string
  readonly displayName?: string
}

export interface SignIn {
  readonly site: string
  /** As the site calls it. */
  readonly id: string
  readonly user: SiteUser
  readonly isAdministrator: boolean
  /** The session whose seat it had last; it may have ended. */
  readonly session?: string
  readonly signedInAt: number
  /** When it took its seat, or was first refused one. */
  readonly seatAt: number
}

const signInPrefix = 'sign-in/'
const sitePrefix = 'site/'

type Entry = SiteRecord | SignIn

export class SiteBook implements RecordOwner {
  readonly kinds = ['site'] as const
  readonly #entries = new Map<string, Entry>()
  /** Sign-ins by site. */
  readonly #signIns = new Map<string, Map<string, SignIn>>()
  readonly #drafts = new WeakMap<Transaction, Map<string, Entry | undefined>>()

  sites(): SiteRecord[] {
    return [...this.#entries.values()].filter((one) => 'tokenHash' in one).sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  site(id: string): SiteRecord | undefined {
    return this.#entries.get(siteKey(id)) as SiteRecord | undefined
  }

  signIn(site: string, id: string): SignIn | undefined {
    return this.#signIns.get(site)?.get(id)
  }

  signIns(site: string): Iterable<SignIn> {
    return this.#signIns.get(site)?.values() ?? []
  }

  countSignIns(site: string): number {
    return this.#signIns.get(site)?.size ?? 0
  }

  /** As the jobs before in the same batch leave it. */
  findSite(transaction: Transaction, id: string): SiteRecord | undefined {
    return this.#find(transaction, siteKey(id)) as SiteRecord | undefined
  }

  findSignIn(transaction: Transaction, site: string, id: string): SignIn | undefined {
    return this.#find(transaction, signInKey(site, id)) as SignIn | undefined
  }

  putSite(transaction: Transaction, site: SiteRecord): void {
    this.#change(transaction, siteKey(site.id), site)
  }

  dropSite(transaction: Transaction, id: string): void {
    this.#change(transaction, siteKey(id), undefined)
  }

  putSignIn(transaction: Transaction, signIn: SignIn): void {
    this.#change(transaction, signInKey(signIn.site, signIn.id), signIn)
  }

  dropSignIn(transaction: Transaction, site: string, id: string): void {
    this.#change(transaction, signInKey(site, id), undefined)
  }

  reset(): void {
    this.#entries.clear()
    this.#signIns.clear()
  }

  restore({ key, value }: StoredRecord): void {
    this.#set(key, value as unknown as Entry)
  }

  #find(transaction: Transaction, key: string): Entry | undefined {
    const draft = this.#drafts.get(transaction)
    return draft?.has(key) ? draft.get(key) : this.#entries.get(key)
  }

  #change(transaction: Transaction, key: string, entry: Entry | undefined): void {
    if (entry) transaction.put('site', key, entry as unknown as JsonValue)
    else transaction.delete('site', key)
    const known = this.#drafts.get(transaction)
    const draft = known ?? new Map<string, Entry | undefined>()
    draft.set(key, entry)
    if (known) return
    this.#drafts.set(transaction, draft)
    transaction.after(() => {
      for (const [changed, after] of draft) this.#set(changed, after)
    })
  }

  #set(key: string, entry: Entry | undefined): void {
    const before = this.#entries.get(key)
    if (entry) this.#entries.set(key, entry)
    else this.#entries.delete(key)
    const signIn = key.startsWith(signInPrefix) ? ((entry ?? before) as SignIn | undefined) : undefined
    if (!signIn) return
    const list = this.#signIns.get(signIn.site) ?? new Map<string, SignIn>()
    if (entry) list.set(signIn.id, signIn)
    else list.delete(signIn.id)
    if (list.size > 0) this.#signIns.set(signIn.site, list)
    else this.#signIns.delete(signIn.site)
  }
}

function siteKey(id: string): string {
  return sitePrefix + id
}

function signInKey(site: string, id: string): string {
  return `${signInPrefix}${site}/${id}`
}
