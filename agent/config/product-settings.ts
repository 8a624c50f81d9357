/**
 * The settings that one product can have of its own, and their names. Imports kinds and setting only.
 */
import { choice, onOff, text, whole } from './kinds.ts'
import {
  enableDetaching,
  manager,
  maxDays,
  reservedPercent,
  reservedSeats,
  type Setting,
  setting,
  type ValueIn,
} from './setting.ts'

/** Settings of one product: `products.<id>.mode`, `detach.products.<id>.enabled` and so on. Not set = what holds for all. */
export const productSettings = {
  'products.*.mode': setting(choice('both', ['both', 'local', 'network']), {
    page: 'remote-managers',
    label: 'License Mode',
    help: 'Where seats of the product come from: licenses of this machine, of the network, or both.',
  }),
  'products.*.manager': setting(text(manager), {
    page: 'remote-managers',
    label: 'License Server',
    help: 'The manager to ask for the product. Nothing means that it is found automatically each time.',
  }),
  'detach.products.*.enabled': setting(onOff(false), { page: 'detachable', ...enableDetaching }),
  'detach.products.*.reservedSeats': setting(whole(0, 0, 1_000_000), { page: 'detachable', ...reservedSeats }),
  'detach.products.*.reservedPercent': setting(whole(0, 0, 100), { page: 'detachable', ...reservedPercent }),
  'detach.products.*.maxDays': setting(whole(14, 1, 9999), { page: 'detachable', ...maxDays }),
} as const

export type ProductSettingPattern = keyof typeof productSettings
export type ProductSettingValue<Pattern extends ProductSettingPattern> = ValueIn<(typeof productSettings)[Pattern]>

const productName = '[a-z0-9][a-z0-9._-]{0,63}'
/** `vendor/product`, or a bare product while only one vendor has it. */
export const productId = new RegExp(`^(${productName}/)?${productName}$`)

const patterns = (Object.keys(productSettings) as ProductSettingPattern[]).map((pattern) => {
  const [before = '', after = ''] = pattern.split('*')
  return { pattern, before, after }
})

export function nameForProduct(pattern: ProductSettingPattern, product: string): string {
  return pattern.replace('*', () => product)
}

/** The setting and product that a name such as `products.acme/cad.mode` names. */
export function findProductSetting(
  name: string,
): { readonly pattern: ProductSettingPattern; readonly product: string; readonly setting: Setting } | undefined {
  const split = splitName(name)
  if (!split || !productId.test(split.product)) return undefined
  return { ...split, setting: productSettings[split.pattern] as Setting }
}

/** What stands where the product should in a name that is one of a product's setting but for that. */
export function findProductPart(name: string): string | undefined {
  return splitName(name)?.product
}

function splitName(name: string): { readonly pattern: ProductSettingPattern; readonly product: string } | undefined {
  const fitting = patterns.find(({ before, after }) => {
    return name.length > before.length + after.length && name.startsWith(before) && name.endsWith(after)
  })
  if (!fitting) return undefined
  return { pattern: fitting.pattern, product: name.slice(fitting.before.length, -fitting.after.length) }
}
