/**
 * Settings in the shapes of the interface, for API and pages, and the import of a `hasplm.ini`.
 * Part of the composition root; only its other files import it.
 */
import type { Configuration } from './config/configuration.ts'
import type { SettingDescription } from './config/describe.ts'
import { leftOutReasons } from './config/hasplm-import.ts'
import { importSettings } from './config/import.ts'
import type { SettingValueKind } from './config/kinds.ts'
import { type Refusal, refuse } from './errors.ts'
import type { ConfigurationEntry, ImportedConfiguration } from './http/api/agent-shapes.ts'
import type { Channel } from './http/request-view.ts'

/** What one setting asks of others and of where the change comes from. */
export type CheckChange = (
  patch: Readonly<Record<string, SettingValueKind | null>>,
  channel: Channel,
) => Promise<Refusal | undefined>

/** The configuration as it may be changed by who came in that way. */
export function changeable(
  configuration: Configuration,
  check: CheckChange,
  channel: Channel,
): Pick<Configuration, 'describe' | 'validate' | 'change'> {
  return {
    describe: (page) => configuration.describe(page),
    validate: (patch) => configuration.validate(patch),
    change: async (patch, by) =>
      (await check(patch as Parameters<CheckChange>[0], channel)) ?? configuration.change(patch, by),
  }
}

export async function importConfiguration(
  configuration: Pick<Configuration, 'describe' | 'validate' | 'change'>,
  text: string,
  order: { readonly apply: boolean; readonly by: string },
): Promise<{ readonly kind: 'imported'; readonly imported: ImportedConfiguration } | Refusal> {
  const outcome = await importSettings(configuration, text, order)
  if (outcome.kind === 'refused') return fieldsOf(outcome)
  const imported = {
    applied: outcome.kind === 'applied',
    settings: outcome.settings.map(({ setting, from, to, changes, lines }) => ({
      name: setting.name,
      label: entryOf(setting).label,
      from: plain(from),
      to: plain(to),
      changes,
      lines: lines.map(({ line, written }) => ({ line, written })),
    })),
    leftOut: outcome.leftOut.map(({ line, written, reason, detail }) => ({
      line,
      written,
      reason,
      text: leftOutReasons[reason],
      ...(detail === undefined ? {} : { detail }),
    })),
  }
  return { kind: 'imported', imported }
}

export function entryOf(setting: SettingDescription): ConfigurationEntry {
  const { name, page, label, help, kind, value, source, editable, needsRestart, unit, choices, min, max } = setting
  return {
    name,
    section: page,
    label,
    help,
    kind: kind === 'list' ? 'lines' : kind,
    value: plain(value),
    default: plain(setting.default),
    source,
    editable,
    restart: needsRestart,
    ...(unit === undefined ? {} : { unit }),
    ...(choices === undefined ? {} : { choices: [...choices] }),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
  }
}

export function plain(value: SettingDescription['value']): ConfigurationEntry['value'] {
  return typeof value === 'object' ? [...value] : value
}

/** The interface names wrong fields as `fields` with `field` and `message`. */
export function fieldsOf(refusal: Refusal): Refusal {
  const errors = refusal.facts?.errors
  if (!Array.isArray(errors)) return refusal
  const fields = (errors as readonly { field: string; detail: string }[]).map(({ field, detail }) => ({
    field,
    message: detail,
  }))
  return refuse(refusal.code, refusal.detail, { fields })
}
