/**
 * The JSON that tells which other agents there are: known ones, the search for them, and the test of one address.
 * Must not import anything of ours but the shapes that all share.
 */
import { z } from 'zod'
import { count, identifier, instant, opaqueId, pageQuery, text } from './shapes.ts'

export const managerStates = [
  'asking',
  'reachable',
  'refusing',
  'pending',
  'unreachable',
  'wrong_identity',
  'other_version',
] as const
export const waysFound = ['broadcast', 'configured', 'sweep', 'gossip', 'remembered', 'asked'] as const
const foundBy = z.enum(waysFound)
const milliseconds = z.number().nonnegative().describe('milliseconds')

const offer = z.strictObject({
  product: z.string().describe('vendor/product'),
  title: z.string().optional(),
  seats: count,
  used: count,
  free: count,
  anyProductFree: count.describe('free seats that fit any product of the vendor, as far as they fit this one'),
  waiting: count,
  features: z.array(z.strictObject({ name: z.string(), seats: count.optional().describe('its own limit') })),
  licenses: z.array(z.strictObject({ id: identifier, endsAt: z.string().optional() })),
  over: z
    .array(identifier)
    .describe('ids of the agents over which the seats come, the root first; none: its own licenses'),
})

export const manager = z
  .strictObject({
    id: identifier,
    name: z.string().describe('what its machine is called'),
    state: z
      .enum(managerStates)
      .describe(
        'reachable: gives out seats; refusing: answers and gives out nothing, `code` says why; pending: waits for approval there; wrong_identity: somebody else answers at its address; other_version: no version of the interface fits; asking: not asked yet',
      ),
    detail: z.string().describe('a sentence about the state; empty where there is nothing to say'),
    code: z.string().optional().describe('why it gives out nothing, as it says'),
    approval: z
      .enum(['known', 'pending', 'approved', 'denied'])
      .optional()
      .describe('whether it may have seats from here, where approvals are asked for'),
    addresses: z.array(
      z.strictObject({
        address: z.string().describe('host:port'),
        foundBy: z.array(foundBy),
        answeredAt: instant.optional(),
      }),
    ),
    foundBy: z.array(foundBy),
    page: z.string().optional().describe('address of its page'),
    version: z.string().optional().describe('of its program'),
    latency: milliseconds.optional().describe('milliseconds from question to answer'),
    clockDifference: z.number().optional().describe('seconds by which its clock is ahead of ours; negative: behind'),
    firstSeenAt: instant.optional(),
    lastSeenAt: instant.optional(),
    offers: z.array(offer).describe('what it gives out, as of its last answer'),
    actions: z.array(z.enum(['approve', 'forget'])).describe('what an administrator can do with it now'),
  })
  .meta({ id: 'Manager', description: 'Another agent that this one knows' })
export type Manager = z.infer<typeof manager>

export const managerQuery = z.strictObject({
  ...pageQuery.shape,
  state: z.enum(managerStates).optional(),
  product: text().optional().describe('only those that offer this product'),
})
export type ManagerQuery = z.infer<typeof managerQuery>

const searchStep = z.strictObject({
  number: z.int().positive().describe('a later event with the same number takes the place of the one before'),
  address: z.string().describe('host:port; of a sweep from the first to the last of several addresses'),
  foundBy,
  step: z.enum(['name', 'connect', 'tls', 'identity', 'version', 'answer']).describe('how far it came'),
  result: z
    .enum(['running', 'found', 'self', 'failed', 'nothing'])
    .describe('self: this very agent answers there; nothing: no address of a sweep took a connection'),
  detail: z.string(),
  ms: milliseconds.optional(),
  addresses: count.describe('how many addresses the step stands for'),
  agent: z.strictObject({ id: identifier, name: z.string() }).optional(),
})
export const search = z
  .strictObject({
    id: opaqueId,
    state: z.enum(['running', 'done']),
    startedAt: instant,
    endedAt: instant.optional(),
    tried: count.describe('addresses that were tried'),
    found: count.describe('agents that answered'),
    steps: z.array(searchStep).describe('the last 2000'),
    notes: z.array(z.string()).describe('what is worth knowing, such as subnets that are too large to be searched'),
  })
  .meta({ id: 'Search', description: 'A search for other agents' })
export type SearchState = z.infer<typeof search>
export const lastSearch = z.strictObject({
  search: search.optional().describe('the last search; absent while there was none since the start'),
})

export const testAddress = z
  .strictObject({ address: text().describe('one search parameter, as in “Specify Search Parameters”') })
  .meta({ id: 'TestAddress' })
export const connectionReport = z
  .strictObject({
    address: z.string(),
    reached: z.boolean().describe('everything passed'),
    agent: z.strictObject({ id: identifier, name: z.string() }).optional().describe('who answered'),
    steps: z.array(
      z.strictObject({
        step: z.enum(['name', 'tcp', 'tls', 'identity', 'version', 'latency', 'clock', 'licenses']),
        outcome: z.enum(['passed', 'failed', 'skipped']),
        detail: z.string(),
        help: z.string().optional().describe('what can be done about it'),
        ms: milliseconds.optional(),
      }),
    ),
  })
  .meta({ id: 'ConnectionReport', description: 'The way to another agent, step by step' })
export type ConnectionReport = z.infer<typeof connectionReport>
