/**
 * What the pages need of the agent, in the shapes of the interface; the composition root connects the owners.
 * Expected refusals are values and are shown where they belong; a rejected promise becomes the error page.
 * Types only; must not import owners.
 */

import type { Refusal } from '../../errors.ts'
import type {
  ConfigurationEntry,
  ConfigurationPatch,
  ConfigurationValue,
  HealthProblem,
  ImportedConfiguration,
} from '../api/agent-shapes.ts'
import type { License, LicenseDetails } from '../api/license-shapes.ts'
import type { Disconnected, List, Session } from '../api/shapes.ts'
import type { Description } from '../openapi-document.ts'
import type { Channel } from '../request-view.ts'
import type { DetachingPart } from './detaching-parts.ts'
import type { DiagnosticsPart, HistoryPart, JournalPart, RefusalsPart } from './insight-parts.ts'
import type {
  AccessPart,
  LeasesPart,
  ManagersPart,
  NetworkPart,
  SearchPart,
  ServicePart,
  ServingPart,
} from './network-parts.ts'
import type { ComputersPart, DocumentsPart, FeaturesPart, ProductsPart } from './product-parts.ts'
import type { SessionSelection } from './session-selection.ts'
import type { ReservesPart, SitesPart } from './site-parts.ts'

/** What stands around every page. */
export interface FrameFacts {
  readonly machineName: string
  readonly version: string
  /** The configured language; undefined: what the browser asks for. */
  readonly language?: string | undefined
  readonly rowsPerPage: number
  /** Seconds between two refreshes of live rows; 0: only when something happens. */
  readonly refreshSeconds: number
  /** What sessions of this computer may call it, in small letters. */
  readonly hostNames: readonly string[]
}

/**
 * What a page shows or does, for the protection setting: `open` never asks; `see` asks under protection "all";
 * `take` (detaching to this machine, and giving back) asks as `see`, or as `change` where the settings say so;
 * `configure` (settings) and `change` (anything that changes the agent) ask once a password is set.
 */
export type PageGuard = 'open' | 'see' | 'take' | 'configure' | 'change'

/** Who asks: what deciding about a sign-in needs of a request. */
export interface Asker {
  /** The Cookie header, empty when there is none. */
  readonly cookies: string
  readonly address: string
  /** How the request came in. */
  readonly channel: Channel
}

export interface AdministratorPart {
  /** A password is set, so there is something to sign in with. */
  protected(): boolean
  signedIn(asker: Asker): boolean | Promise<boolean>
  may(guard: PageGuard, asker: Asker): boolean | Promise<boolean>
  /** `cookie` is a whole Set-Cookie header. Refused: wrong_password, too_many_requests (`retryIn`). */
  signIn(password: string, asker: Asker): Promise<{ readonly kind: 'signed_in'; readonly cookie: string } | Refusal>
  /** Answers the Set-Cookie header that takes the cookie away. */
  signOut(asker: Asker): Promise<string>
  /** All sign-ins end; `cookie` signs the one who changed it in anew. Refused: wrong_password, invalid_request (`fields`). */
  changePassword(
    change: { readonly current?: string; readonly password: string },
    asker: Asker,
  ): Promise<{ readonly kind: 'changed'; readonly cookie?: string } | Refusal>
}

export interface LicensesPart {
  list(): readonly License[]
  get(id: string): LicenseDetails | undefined
  /** Installs every license found in the text. Refused: not_a_document …, untrusted_vendor with facts `{ vendor, fingerprint }`. */
  add(request: {
    readonly text: string
    readonly trust: boolean
  }): Promise<{ readonly kind: 'added'; readonly licenses: readonly License[] } | Refusal>
  /** The block for the vendor; `fingerprint` is a short one that both sides see. */
  requestActivation(
    id: string,
  ): Promise<{ readonly kind: 'made'; readonly request: string; readonly fingerprint?: string } | Refusal>
  /** Applies the vendor's answer to this license. */
  activate(id: string, text: string): Promise<{ readonly kind: 'activated' } | Refusal>
  /** Refused: license_in_use, seats_detached until the overlap is confirmed; overlap_forbidden. */
  deactivate(
    id: string,
    confirmOverlap: boolean,
  ): Promise<
    | { readonly kind: 'deactivated'; readonly receipt: string }
    | { readonly kind: 'deactivating'; readonly freeAt: string }
    | Refusal
  >
  remove(id: string): Promise<{ readonly kind: 'removed' } | Refusal>
}

export interface SessionsPart {
  /** One page of them, filtered and sorted; `selectSessions` does it for an owner that has them all in memory. */
  list(selection: SessionSelection): List<Session>
  get(id: string): Session | undefined
  /** How many seats were in use until when, if this session's seats were freed now: shown before it is ordered. */
  overlapOf(id: string): { readonly seats: number; readonly until: string } | undefined
  disconnect(
    id: string,
    order: { readonly reason?: string; readonly freeNow: boolean },
  ): Promise<(Disconnected & { readonly kind: 'disconnected' }) | Refusal>
}

export interface ConfigurationPart {
  /** The settings of one page, in the order to be shown. */
  describe(section: string): readonly ConfigurationEntry[]
  /** Takes effect at once. Refused: invalid_request with `fields`, read_only_setting, password_needed, loopback_only. */
  change(
    patch: ConfigurationPatch,
    asker: Asker,
  ): Promise<
    | {
        readonly kind: 'changed'
        readonly changes: readonly {
          readonly name: string
          readonly before: ConfigurationValue
          readonly after: ConfigurationValue
        }[]
      }
    | Refusal
  >
}

export interface ImportPart {
  /** Refused: invalid_request where there is nothing of a `hasplm.ini` in it; when applied also as `change`. */
  read(
    text: string,
    apply: boolean,
    asker: Asker,
  ): Promise<{ readonly kind: 'imported'; readonly imported: ImportedConfiguration } | Refusal>
}

export interface Parts {
  /** Wall time in ms since 1970. */
  now(): number
  frame(): FrameFacts
  readonly health: { problems(): readonly HealthProblem[] }
  readonly products: ProductsPart
  readonly features: FeaturesPart
  readonly computers: ComputersPart
  readonly documents: DocumentsPart
  readonly detaching: DetachingPart
  readonly journal: JournalPart
  readonly history: HistoryPart
  readonly refusals: RefusalsPart
  readonly diagnostics: DiagnosticsPart
  readonly licenses: LicensesPart
  readonly sessions: SessionsPart
  readonly configuration: ConfigurationPart
  readonly import: ImportPart
  readonly managers: ManagersPart
  readonly search: SearchPart
  readonly leases: LeasesPart
  readonly serving: ServingPart
  readonly service: ServicePart
  readonly access: AccessPart
  readonly network: NetworkPart
  readonly reserves: ReservesPart
  readonly sites: SitesPart
  readonly administrator: AdministratorPart
  /** The interface description, as programs get it. */
  readonly interface: { describe(): Description }
  /** Makes the sample vendor on the spot and installs a license of it. */
  readonly sample: { install(): Promise<{ readonly kind: 'installed' } | Refusal> }
}
