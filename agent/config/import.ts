/**
 * Brings the settings of a `hasplm.ini` into the configuration: says what it would change, and changes it when told to.
 * What a setting does not take is left out and said; nothing is half done. Imports the configuration and the reading.
 */
import { type Refusal, refuse } from '../errors.ts'
import type { Configuration, ConfigurationChange } from './configuration.ts'
import type { SettingDescription } from './describe.ts'
import { type HasplmReading, type LeftOut, readHasplm, type Taken } from './hasplm-import.ts'
import type { SettingValueKind } from './kinds.ts'
import type { FieldError } from './patch.ts'

/** A setting with what the file makes of it. */
export interface ImportedSetting {
  readonly setting: SettingDescription
  readonly from: SettingValueKind
  readonly to: SettingValueKind
  /** False: it is so already. */
  readonly changes: boolean
  readonly lines: readonly Taken[]
}
export interface ImportPlan {
  readonly settings: readonly ImportedSetting[]
  readonly leftOut: readonly LeftOut[]
}
export type ImportOutcome =
  | (ImportPlan & { readonly kind: 'planned' })
  | (ImportPlan & { readonly kind: 'applied'; readonly changes: readonly ConfigurationChange[] })
  | Refusal

type Settings = Pick<Configuration, 'describe' | 'validate' | 'change'>

/**
 * Refused: invalid_request when the text has nothing of such a file; else as `Configuration.change` when it is applied.
 * @param by who imports it, for the journal
 */
export async function importSettings(
  configuration: Settings,
  text: string,
  order: { readonly apply: boolean; readonly by: string },
): Promise<ImportOutcome> {
  const reading = readHasplm(text)
  if (reading.taken.length === 0 && reading.leftOut.every(({ reason }) => reason === 'not_known'))
    return refuse('invalid_request', 'There is nothing in it that stands in a hasplm.ini.')
  const plan = planImport(configuration, reading)
  if (!order.apply) return { kind: 'planned', ...plan }
  const changing = plan.settings.filter(({ changes }) => changes)
  const patch = Object.fromEntries(changing.map(({ setting, to }) => [setting.name, to]))
  const outcome = await configuration.change(patch, order.by)
  return outcome.kind === 'refused' ? outcome : { kind: 'applied', ...plan, changes: outcome.changes }
}

function planImport(configuration: Settings, { values, taken, leftOut }: HasplmReading): ImportPlan {
  const settings: ImportedSetting[] = []
  const left = [...leftOut]
  for (const setting of configuration.describe()) {
    const wanted = values[setting.name as keyof typeof values]
    if (wanted === undefined) continue
    const lines = taken.filter((one) => one.setting === setting.name)
    const { to, used, refused } = sift(configuration, setting, wanted, lines)
    left.push(...refused)
    if (used.length > 0)
      settings.push({ setting, from: setting.value, to, changes: !isSame(setting.value, to), lines: used })
  }
  return { settings, leftOut: left.sort((a, b) => a.line - b.line) }
}

interface Sifted {
  readonly to: SettingValueKind
  readonly used: readonly Taken[]
  readonly refused: readonly LeftOut[]
}

/** A list has one line per entry, and what is wrong with one does not count for the others. */
function sift(
  configuration: Settings,
  setting: SettingDescription,
  wanted: SettingValueKind,
  lines: readonly Taken[],
): Sifted {
  const refuseLine = ({ line, written }: Taken, obstacle: Pick<LeftOut, 'reason' | 'detail'>) => ({
    line,
    written,
    ...obstacle,
  })
  if (typeof wanted !== 'object' || !setting.editable) {
    const obstacle = findObstacle(configuration, setting, wanted)
    return obstacle === undefined
      ? { to: wanted, used: lines, refused: [] }
      : { to: wanted, used: [], refused: lines.map((one) => refuseLine(one, obstacle)) }
  }
  const to: string[] = []
  const used: Taken[] = []
  const refused: LeftOut[] = []
  for (const [place, item] of wanted.entries()) {
    const line = lines[place]
    if (line === undefined) continue
    const obstacle = findObstacle(configuration, setting, [item])
    if (obstacle === undefined) {
      to.push(item)
      used.push(line)
    } else refused.push(refuseLine(line, obstacle))
  }
  return { to, used, refused }
}

function findObstacle(
  configuration: Settings,
  { name, editable, value }: SettingDescription,
  to: SettingValueKind,
): Pick<LeftOut, 'reason' | 'detail'> | undefined {
  if (!editable) return isSame(value, to) ? undefined : { reason: 'fixed' }
  const checked = configuration.validate({ [name]: to })
  if (checked.kind === 'valid') return undefined
  const [error] = (checked.facts?.errors ?? []) as readonly FieldError[]
  return { reason: 'value_refused', detail: error?.detail ?? checked.detail }
}

function isSame(one: SettingValueKind, other: SettingValueKind): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
