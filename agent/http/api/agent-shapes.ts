/**
 * The JSON about the agent itself: health, version, configuration, journal, sign-in.
 * Must not import anything of ours but the shapes that all share.
 */
import { z } from 'zod'
import { identifier, instant, managerName, seconds } from './shapes.ts'

export const severities = ['notice', 'warning', 'error'] as const
export const healthProblem = z
  .strictObject({
    code: z.string(),
    severity: z.enum(severities),
    title: z.string(),
    text: z.string(),
    action: z.strictObject({ label: z.string(), address: z.string() }).optional().describe('the page that fixes it'),
  })
  .meta({ id: 'HealthProblem' })
export type HealthProblem = z.infer<typeof healthProblem>
export const health = z
  .strictObject({
    state: z.enum(['ok', ...severities]).describe('the worst of the problems'),
    problems: z.array(healthProblem),
  })
  .meta({ id: 'Health' })
export type Health = z.infer<typeof health>

export const version = z
  .strictObject({
    program: z.literal('leasehold'),
    version: z.string(),
    agent: managerName,
    node: z.string().describe('version of Node.js that it runs on'),
    platform: z.string().describe('operating system and processor'),
  })
  .meta({ id: 'Version' })
export type Version = z.infer<typeof version>

export const status = z
  .strictObject({
    pid: z.int().positive().describe('id of the process'),
    port: z.int().positive(),
    dataFolder: z.string(),
    startedAt: instant,
    version: z.string(),
    agent: managerName,
    sessions: z.int().nonnegative().describe('sessions that live now'),
  })
  .meta({ id: 'Status' })
export type Status = z.infer<typeof status>

export const configurationValue = z.union([z.string(), z.number(), z.boolean(), z.array(z.string()), z.null()])
export type ConfigurationValue = z.infer<typeof configurationValue>
export const configurationEntry = z
  .strictObject({
    name: z.string().describe('as in the configuration file, such as session.idleMinutes'),
    section: z.string().describe('the page of the configuration that it is on'),
    label: z.string(),
    help: z.string().optional(),
    kind: z.enum(['text', 'number', 'switch', 'choice', 'lines', 'secret']),
    value: configurationValue.describe('null: not set, or a secret'),
    default: configurationValue,
    source: z.enum(['environment', 'administrator', 'file', 'default']),
    editable: z.boolean().describe('false where the environment fixes it'),
    restart: z.boolean().describe('a change takes effect at the next start'),
    unit: z.string().optional(),
    choices: z.array(z.string()).optional(),
    min: z.number().optional(),
    max: z.number().optional(),
  })
  .meta({ id: 'Setting' })
export type ConfigurationEntry = z.infer<typeof configurationEntry>
/** Values by name; null goes back to the file or the default. */
export const configurationPatch = z.record(z.string().max(255), configurationValue).meta({
  id: 'ConfigurationPatch',
  description: 'Values by the name of the setting; null goes back to the file or the default',
})
export type ConfigurationPatch = z.infer<typeof configurationPatch>
export const importConfiguration = z
  .strictObject({
    text: z.string().min(1).max(60_000).describe('what stands in a hasplm.ini'),
    apply: z.boolean().default(false).describe('false: only say what it would change'),
  })
  .meta({ id: 'ImportConfiguration' })
export type ImportConfiguration = z.infer<typeof importConfiguration>
const importedLine = z.strictObject({
  line: z.int().positive().describe('number of the line in the file'),
  written: z.string().describe('the line as it stands there'),
})
export const importedConfiguration = z
  .strictObject({
    applied: z.boolean(),
    settings: z.array(
      z.strictObject({
        name: z.string(),
        label: z.string(),
        from: configurationValue,
        to: configurationValue,
        changes: z.boolean().describe('false: it is so already'),
        lines: z.array(importedLine),
      }),
    ),
    leftOut: z.array(
      z.strictObject({
        ...importedLine.shape,
        reason: z.string().describe('stable; why it is not taken'),
        text: z.string().describe('the reason, in a sentence'),
        detail: z.string().optional().describe('what exactly, where the reason alone does not say it'),
      }),
    ),
  })
  .meta({ id: 'ImportedConfiguration', description: 'What of a hasplm.ini is taken, and what not and why' })
export type ImportedConfiguration = z.infer<typeof importedConfiguration>
export const configuration = z.strictObject({ entries: z.array(configurationEntry) }).meta({ id: 'Configuration' })

export const journalEntry = z
  .strictObject({
    sequence: z.int().positive().describe('counts the entries, without gaps'),
    at: instant,
    instance: identifier.describe('the agent whose journal it is'),
    type: z.string().describe('what happened, such as session.opened'),
    facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())])),
    personal: z.record(z.string(), z.string().nullable()).describe('null where it was forgotten'),
    hash: z.string().describe('of this entry and the one before: what chains them'),
  })
  .meta({ id: 'JournalEntry' })
export type JournalLine = z.infer<typeof journalEntry>

export const journalVerdict = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('good'),
    entries: z.int().nonnegative(),
    head: z.string().describe('hash of the last entry'),
  }),
  z.strictObject({
    kind: z.literal('broken'),
    sequence: z.int().positive().describe('the first entry that is wrong'),
    reason: z.string(),
  }),
])
export type JournalVerdict = z.infer<typeof journalVerdict>

// ---- people at the agent

export const signIn = z.strictObject({ password: z.string().min(1).max(1024) })
export const signedIn = z
  .strictObject({
    expiresAt: instant.describe('when the sign-in ends in any case'),
    idleSeconds: seconds.describe('seconds without a request after which it ends before'),
  })
  .meta({ id: 'SignedIn' })
export const changePassword = z.strictObject({
  current: z.string().max(1024).optional().describe('needed once a password is set'),
  password: z.string().min(10, 'must have at least 10 characters').max(1024).describe('the new one'),
})
