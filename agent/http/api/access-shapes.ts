/**
 * The JSON about who may have seats and who asked for some: rules tried out, recent clients, the outgoing proxy.
 * Must not import anything of ours but the shapes that all share.
 */
import { z } from 'zod'
import { count, identifier, instant, managerName, person, text } from './shapes.ts'

const lines = z.array(z.string().max(255)).max(1000)

export const checkRules = z
  .strictObject({
    subject: z
      .strictObject({
        user: person.pick({ account: true, email: true }).optional(),
        host: text().optional().describe('name of the machine that the application runs on'),
        address: text(64).optional().describe('network address that the request comes from'),
        agent: z.string().max(64).optional().describe('id of another agent that asks; left out for this machine'),
        product: text(129).optional().describe('vendor/product'),
        feature: text(64).optional(),
        license: z.string().max(64).optional().describe('id of the license that the seat would be of'),
      })
      .optional()
      .describe('would this one be allowed?'),
    rules: z
      .strictObject({
        machines: lines.optional().describe('as serving.rules; left out: those in force'),
        users: lines.optional().describe('as users.rules; left out: those in force'),
      })
      .optional()
      .describe('rules to be tried out; nothing is saved'),
    dryRun: z
      .boolean()
      .default(false)
      .describe('also try the rules on the requests of the last days; takes some seconds'),
    days: z.int().min(1).max(30).default(30).describe('for the dry run'),
  })
  .meta({ id: 'CheckRules' })
export type CheckRules = z.infer<typeof checkRules>

const decided = {
  rule: z.string().optional().describe('the rule that decides, as it is written; absent where none fits'),
  line: z.int().positive().optional().describe('its line in the list'),
}
const ruleVerdict = z
  .strictObject({
    list: z.enum(['machines', 'users']),
    outcome: z.enum(['allowed', 'denied']),
    ...decided,
    detail: z.string().optional().describe('what exactly; with a denial'),
    licenses: z
      .strictObject({ kind: z.enum(['only', 'except']), licenses: z.array(identifier), rule: z.string() })
      .optional()
      .describe('the seat must come from one of these licenses, or from none of them'),
  })
  .meta({ id: 'RuleVerdict' })
export type RuleVerdict = z.infer<typeof ruleVerdict>

const dryRunCase = z
  .strictObject({
    product: z.string(),
    feature: z.string().optional(),
    user: person.pick({ account: true, email: true }),
    host: z.string().optional(),
    address: z.string().optional(),
    agent: z.string().optional().describe('id of the agent that asked, where it was another one'),
    times: count.describe('how many requests of this one came out so'),
    lastAt: instant,
    ...decided,
  })
  .meta({ id: 'DryRunCase', description: 'Requests of one user at one machine for one product' })
const dryRunSide = z.strictObject({
  count: count.describe('requests'),
  examples: z.array(dryRunCase).describe('at most 20, those with the most requests first'),
})
export const dryRunReport = z
  .strictObject({
    from: instant.describe('how far back it goes'),
    until: instant,
    requests: count.describe('requests for seats in that time'),
    complete: z.boolean().describe('false: there were more than could be looked at; it goes back to `from` only'),
    forgotten: count.describe('requests whose user is not known any more'),
    refused: dryRunSide.describe('they got a seat, and would have been refused'),
    allowed: dryRunSide.describe('a rule refused them, and none would have'),
  })
  .meta({ id: 'DryRunReport' })
export type DryRunReport = z.infer<typeof dryRunReport>

export const checkedRules = z
  .strictObject({
    outcome: z.enum(['allowed', 'denied']).optional().describe('of the subject, by all lists'),
    verdicts: z.array(ruleVerdict).optional().describe('in the order that they are asked; up to the first denial'),
    dryRun: dryRunReport.optional(),
  })
  .meta({ id: 'CheckedRules' })
export type CheckedRules = z.infer<typeof checkedRules>

export const recentClient = z
  .strictObject({
    id: identifier,
    agent: managerName.describe('that asked; this agent for applications of this machine'),
    address: z.string().optional(),
    user: person.pick({ account: true, email: true }),
    host: z.string().optional().describe('name of the machine that the application runs on'),
    product: z.string().describe('that was asked for last'),
    outcome: z.string().describe('of the last request: granted, or the code of the refusal'),
    at: instant.describe('of the last request'),
    rules: z
      .array(
        z.strictObject({
          setting: z.enum(['serving.rules', 'users.rules']),
          about: z.enum(['machine', 'address', 'user']),
          action: z.enum(['allow', 'deny']),
          text: z.string(),
        }),
      )
      .describe('rules about this client, to be put above the others'),
  })
  .meta({ id: 'RecentClient', description: 'Who asked for seats lately, and what came of it' })
export type RecentClient = z.infer<typeof recentClient>

export const testProxy = z.strictObject({
  address: text(300).optional().describe('host:port to be reached; left out: only as far as the login of the proxy'),
})
export type TestProxy = z.infer<typeof testProxy>
export const proxyTest = z
  .strictObject({
    way: z.enum(['straight', 'proxy']).describe('straight: no proxy is set, or the address is excepted from it'),
    good: z.boolean(),
    steps: z
      .array(
        z.strictObject({
          step: z.enum(['password', 'name', 'connect', 'tls', 'login', 'target']),
          outcome: z.enum(['good', 'failed']),
          detail: z.string(),
        }),
      )
      .describe('those that were taken; the failed one is the last'),
    ms: z.number().nonnegative(),
  })
  .meta({ id: 'ProxyTest' })
export type ProxyTest = z.infer<typeof proxyTest>
