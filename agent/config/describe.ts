/** How a setting is described to pages, API and documents. Imports names and setting only. */
import type { SettingKind, SettingValueKind } from './kinds.ts'
import type { ConfigurationPage, Setting } from './setting.ts'

export type Source = 'environment' | 'administrator' | 'file' | 'default'

export interface SettingDescription {
  readonly name: string
  readonly page: ConfigurationPage
  /** Key of the label in the catalogs of texts; `label` is its English text. */
  readonly labelKey: string
  readonly label: string
  readonly help: string
  readonly kind: SettingKind
  readonly value: SettingValueKind
  readonly default: SettingValueKind
  readonly source: Source
  /** The environment variable or the file that the value comes from. */
  readonly setBy?: string
  /** False where the environment fixes it. */
  readonly editable: boolean
  readonly needsRestart: boolean
  /** What is allowed, to follow "wants". */
  readonly wanted: string
  readonly unit?: string
  readonly choices?: readonly string[]
  readonly min?: number
  readonly max?: number
}

export function describeSetting(
  name: string,
  setting: Setting,
  value: SettingValueKind,
  source: Source,
  setBy: string | undefined,
): SettingDescription {
  const { page, label, help, kind, needsRestart, wanted, unit, choices, min, max } = setting
  return {
    name,
    page,
    labelKey: `setting.${name}`,
    label,
    help,
    kind,
    value,
    default: setting.default,
    source,
    ...(setBy !== undefined && (source === 'environment' || source === 'file') ? { setBy } : {}),
    editable: source !== 'environment',
    needsRestart,
    wanted,
    ...(unit === undefined ? {} : { unit }),
    ...(choices === undefined ? {} : { choices }),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
  }
}
