/**
 * The names of settings: which setting a name names, its name in the environment, and the one a mistyped name is most like.
 * Imports the two tables only.
 */
import { findProductPart, findProductSetting, productSettings } from './product-settings.ts'
import type { Setting } from './setting.ts'
import { type SettingName, settingNames, settings } from './settings.ts'

/** The setting that `name` names, of the agent or of one product; undefined when there is none. */
export function findSetting(name: string): Setting | undefined {
  return isSettingName(name) ? (settings[name] as Setting) : findProductSetting(name)?.setting
}

export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(settings, name)
}

/** `detach.maxDays` is `LEASEHOLD_DETACH_MAX_DAYS`. Settings of single products have no name there. */
export function variableOf(name: SettingName): string {
  return `LEASEHOLD_${name
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .replaceAll('.', '_')
    .toUpperCase()}`
}

const allNames: readonly string[] = [
  ...settingNames,
  ...Object.keys(productSettings).map((name) => name.replace('*', '<id>')),
]

/** A sentence about a name that there is not, with the nearest that there is. */
export function explainUnknown(name: string): string {
  const id = findProductPart(name)
  if (id !== undefined) return `${name} names the product "${id}"; it wants lower-case vendor/product, such as acme/cad`
  const nearest = findNearest(name, allNames)
  return nearest === undefined ? `${name} is not a setting` : `${name} is not a setting; ${nearest} is`
}

/** The name that `name` is most like, for people who mistyped it; undefined when none is near. */
export function findNearest(name: string, names: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.max(2, Math.floor(name.length / 3)) + 1
  for (const candidate of names) {
    if (Math.abs(candidate.length - name.length) >= least) continue
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < least) {
      least = distance
      best = candidate
    }
  }
  return best
}

function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const change = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}
