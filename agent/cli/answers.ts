/**
 * What the verbs read in the answers of an agent to print it: only that, since the agent may be newer than the command.
 * With --json the answer is printed as it came. Pure; imports only what clients read.
 */
import { z } from 'zod'
import { explanation } from '../client/answers.ts'

function list<Item extends z.ZodType>(item: Item) {
  return z.looseObject({ items: z.array(item), total: z.number(), next: z.string().optional() })
}

const managerName = z.looseObject({ name: z.string() })

const kept = { taken: z.number(), missing: z.looseObject({ detail: z.string() }).optional() }

export const reserve = z.looseObject({
  id: z.string(),
  product: z.string(),
  feature: z.string().optional(),
  seats: z.number(),
  used: z.number(),
  from: z.array(z.looseObject({ manager: managerName, seats: z.number(), reachable: z.boolean(), until: z.string() })),
  ...kept,
})
export const reserves = list(reserve)
export type Reserve = z.infer<typeof reserve>

export const site = z.looseObject({
  id: z.string(),
  state: z.string(),
  server: z.boolean(),
  seats: z.number(),
  occupied: z.number(),
  recyclesAt: z.string().optional(),
  ...kept,
  signIns: z.array(
    z.looseObject({
      user: z.looseObject({
        account: z.string().optional(),
        email: z.string().optional(),
        displayName: z.string().optional(),
      }),
      access: z.string(),
      signedInAt: z.string(),
      idleEndsAt: z.string().optional(),
    }),
  ),
  /** Of a site that was just defined. */
  token: z.string().optional(),
})
export const sites = list(site)
export type Site = z.infer<typeof site>
export const siteToken = z.looseObject({ token: z.string() })
const overlap = z.looseObject({ seats: z.number(), until: z.string() })

export const status = z.looseObject({
  pid: z.number(),
  port: z.number(),
  dataFolder: z.string(),
  startedAt: z.string(),
  version: z.string(),
  agent: z.looseObject({ id: z.string(), name: z.string() }),
  sessions: z.number(),
})

export const health = z.looseObject({
  state: z.string(),
  problems: z.array(z.looseObject({ code: z.string(), severity: z.string(), title: z.string(), text: z.string() })),
})

export const products = list(
  z.looseObject({
    id: z.string(),
    title: z.string(),
    seats: z.number(),
    used: z.number(),
    free: z.number(),
    anyProductFree: z.number(),
    waiting: z.number(),
    features: z.array(z.string()),
    manager: managerName,
    overlap: overlap.optional(),
  }),
)
export type Product = z.infer<typeof products>['items'][number]

const person = z.looseObject({
  account: z.string().optional(),
  email: z.string().optional(),
  displayName: z.string().optional(),
})

export const session = z.looseObject({
  id: z.string(),
  product: z.string(),
  feature: z.string().optional(),
  seats: z.number(),
  state: z.string(),
  reason: z.string().optional(),
  user: person,
  host: z.string().optional(),
  process: z.looseObject({ id: z.number().optional(), name: z.string().optional() }).optional(),
  application: z.string().optional(),
  startedAt: z.string(),
  expiresIn: z.number(),
  freeAt: z.string().optional(),
})
export type Session = z.infer<typeof session>
export const sessions = list(session)

export const computers = list(
  z.looseObject({
    host: z.string().optional(),
    user: person,
    addresses: z.array(z.string()),
    sessions: z.number(),
    seats: z.number(),
    since: z.string(),
    uses: z.array(z.looseObject({ product: z.string(), feature: z.string().optional(), seats: z.number() })),
  }),
)
export type Computer = z.infer<typeof computers>['items'][number]

/** What is not understood of the explanation is left out: the sentence counts. */
export const refusals = list(
  z.looseObject({
    product: z.string(),
    feature: z.string().optional(),
    seats: z.number(),
    user: person,
    host: z.string().optional(),
    application: z.string().optional(),
    code: z.string(),
    title: z.string(),
    detail: z.string().optional(),
    help: z.string().optional(),
    times: z.number(),
    firstAt: z.string(),
    lastAt: z.string(),
    explanation: explanation.optional().catch(undefined),
    rule: z.string().optional(),
  }),
)
export type RefusedSeat = z.infer<typeof refusals>['items'][number]

export const serving = z.looseObject({
  state: z.string(),
  access: z.string(),
  agents: z.number(),
  users: z.number(),
  seats: z.number(),
  ending: z.number(),
})
export type Serving = z.infer<typeof serving>

export const disconnected = z.looseObject({
  ended: z.string(),
  freeAt: z.string(),
  overlap: overlap.optional(),
})

const licensedProduct = z.looseObject({
  product: z.string(),
  title: z.string(),
  seats: z.number(),
  used: z.number(),
  features: z.array(z.looseObject({ name: z.string(), seats: z.number().optional(), used: z.number() })),
})
const license = z.looseObject({
  id: z.string(),
  state: z.string(),
  kind: z.string(),
  vendor: z.looseObject({ name: z.string(), fingerprint: z.string(), trusted: z.boolean() }),
  products: z.array(licensedProduct),
  beginsAt: z.string().optional(),
  endsAt: z.string().optional(),
  daysLeft: z.number().optional(),
  customer: z.string().optional(),
  manager: managerName,
  overlap: overlap.optional(),
})
export type License = z.infer<typeof license>
export const licenses = list(license)

export const licenseDetails = z.looseObject({
  ...license.shape,
  issuedAt: z.string(),
  count: z.string(),
  leaseSeconds: z.number(),
  owner: z.string().optional(),
  replaces: z.array(z.string()),
  replacedBy: z.string().optional(),
  activation: z.looseObject({
    needed: z.boolean(),
    number: z.number().optional(),
    activatedAt: z.string().optional(),
    endsAt: z.string().optional(),
    parts: z.array(z.looseObject({ name: z.string(), agrees: z.boolean() })),
  }),
  text: z.string(),
})
export type LicenseDetails = z.infer<typeof licenseDetails>

export const activationRequest = z.looseObject({ request: z.string() })
export const deactivation = z.union([
  z.object({ receipt: z.string() }),
  z.object({ state: z.literal('deactivating'), freeAt: z.string() }),
])

const recognizedDocument = z.looseObject({
  type: z.string(),
  id: z.string().optional(),
  license: z.string().optional(),
  summary: z.string(),
  effect: z.string(),
  fingerprint: z.string().optional(),
  applied: z.boolean(),
  refused: z.looseObject({ code: z.string(), detail: z.string() }).optional(),
})
export type RecognizedDocument = z.infer<typeof recognizedDocument>
export const recognizedDocuments = z.looseObject({ documents: z.array(recognizedDocument) })

const configurationValue = z.union([z.string(), z.number(), z.boolean(), z.array(z.string()), z.null()])
export type ConfigurationValue = z.infer<typeof configurationValue>
const configurationEntry = z.looseObject({
  name: z.string(),
  kind: z.string(),
  value: configurationValue,
  source: z.string(),
  restart: z.boolean(),
  unit: z.string().optional(),
})
export type ConfigurationEntry = z.infer<typeof configurationEntry>
export const configuration = z.looseObject({ entries: z.array(configurationEntry) })
const importedLine = { line: z.number(), written: z.string() }
export const importedConfiguration = z.looseObject({
  applied: z.boolean(),
  settings: z.array(
    z.looseObject({ name: z.string(), from: configurationValue, to: configurationValue, changes: z.boolean() }),
  ),
  leftOut: z.array(z.looseObject({ ...importedLine, text: z.string(), detail: z.string().optional() })),
})

const fact = z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())])
const journalEntry = z.looseObject({
  sequence: z.number(),
  at: z.string(),
  type: z.string(),
  facts: z.record(z.string(), fact),
  personal: z.record(z.string(), z.string().nullable()),
})
export type JournalEntry = z.infer<typeof journalEntry>
export const journal = list(journalEntry)

export const journalVerdict = z.discriminatedUnion('kind', [
  z.looseObject({ kind: z.literal('good'), entries: z.number(), head: z.string() }),
  z.looseObject({ kind: z.literal('broken'), sequence: z.number(), reason: z.string() }),
])

export const managers = list(
  z.looseObject({
    id: z.string(),
    name: z.string(),
    state: z.string(),
    code: z.string().optional(),
    approval: z.string().optional(),
    addresses: z.array(z.looseObject({ address: z.string() })),
    foundBy: z.array(z.string()),
    version: z.string().optional(),
    latency: z.number().optional(),
    clockDifference: z.number().optional(),
    lastSeenAt: z.string().optional(),
    offers: z.array(z.looseObject({ product: z.string(), seats: z.number(), free: z.number() })),
  }),
)
export type Manager = z.infer<typeof managers>['items'][number]

const searchStep = z.looseObject({
  number: z.number(),
  address: z.string(),
  foundBy: z.string(),
  step: z.string(),
  result: z.string(),
  detail: z.string(),
  ms: z.number().optional(),
  addresses: z.number(),
  agent: z.looseObject({ name: z.string() }).optional(),
})
export type SearchStep = z.infer<typeof searchStep>
export const startedSearch = z.looseObject({
  id: z.string(),
  state: z.string(),
  tried: z.number(),
  found: z.number(),
  steps: z.array(searchStep),
  notes: z.array(z.string()),
})
export type SearchState = z.infer<typeof startedSearch>
export const searchAnswer = z.looseObject({ search: startedSearch.optional() })

export const connectionReport = z.looseObject({
  reached: z.boolean(),
  steps: z.array(
    z.looseObject({
      step: z.string(),
      outcome: z.string(),
      detail: z.string(),
      help: z.string().optional(),
      ms: z.number().optional(),
    }),
  ),
})

const dryRunCase = z.looseObject({
  product: z.string(),
  feature: z.string().optional(),
  user: person,
  host: z.string().optional(),
  address: z.string().optional(),
  times: z.number(),
  lastAt: z.string(),
  rule: z.string().optional(),
})
export type DryRunCase = z.infer<typeof dryRunCase>
const dryRunSide = z.looseObject({ count: z.number(), examples: z.array(dryRunCase) })
const dryRun = z.looseObject({
  from: z.string(),
  until: z.string(),
  requests: z.number(),
  complete: z.boolean(),
  forgotten: z.number(),
  refused: dryRunSide,
  allowed: dryRunSide,
})
export type DryRun = z.infer<typeof dryRun>
export const checkedRules = z.looseObject({
  outcome: z.string().optional(),
  verdicts: z
    .array(
      z.looseObject({
        list: z.string(),
        outcome: z.string(),
        rule: z.string().optional(),
        line: z.number().optional(),
        detail: z.string().optional(),
        licenses: z.looseObject({ kind: z.string(), licenses: z.array(z.string()), rule: z.string() }).optional(),
      }),
    )
    .optional(),
  dryRun: dryRun.optional(),
})
export type CheckedRules = z.infer<typeof checkedRules>

export const recentClients = list(
  z.looseObject({
    agent: managerName,
    address: z.string().optional(),
    user: person,
    host: z.string().optional(),
    product: z.string(),
    outcome: z.string(),
    at: z.string(),
    rules: z.array(z.looseObject({ action: z.string(), text: z.string() })),
  }),
)
export type RecentClient = z.infer<typeof recentClients>['items'][number]

export const proxyTest = z.looseObject({
  way: z.string(),
  good: z.boolean(),
  steps: z.array(z.looseObject({ step: z.string(), outcome: z.string(), detail: z.string() })),
  ms: z.number(),
})

/** An answer whose content is of no interest. */
export const anything = z.unknown()
