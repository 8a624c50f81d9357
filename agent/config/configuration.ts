/**
 * The configuration in force: environment before administrator before file before default. Owns what the administrator set
 * (the 'setting' records); tells who listens when a value changes. A change is in force once it is on disk, and at once.
 * Imports the table of settings, errors and the types of writes; no transport, no other owner.
 */
import type { Cancel } from '../clock.ts'
import type { Happening } from '../domain/journal.ts'
import { type Refusal, refuse } from '../errors.ts'
import type { StoredRecord } from '../store/store.ts'
import type { RecordOwner, Transaction, Writes } from '../writes.ts'
import { describeSetting, type SettingDescription, type Source } from './describe.ts'
import type { SettingValueKind } from './kinds.ts'
import type { FixedValues } from './load.ts'
import { findSetting, isSettingName, variableOf } from './names.ts'
import { checkPatch, type Patch } from './patch.ts'
import { checkShape } from './problem.ts'
import { nameForProduct, type ProductSettingPattern, type ProductSettingValue } from './product-settings.ts'
import type { ConfigurationPage } from './setting.ts'
import { type SettingName, type SettingValue, type SettingValues, settingNames, settings } from './settings.ts'

export interface ConfigurationParts {
  readonly fixed: FixedValues
  readonly writes: Writes
  /** A listener threw, or a stored value does not fit this version any more; for the log. */
  readonly onTrouble: (what: string, facts: Readonly<Record<string, unknown>>) => void
}

export interface ConfigurationChange {
  readonly name: string
  readonly from: SettingValueKind
  readonly to: SettingValueKind
  readonly needsRestart: boolean
}

export type ChangeOutcome = { readonly kind: 'changed'; readonly changes: readonly ConfigurationChange[] } | Refusal

/** What holds for one product: its own settings, else those of all. */
export interface ProductConfiguration {
  readonly mode: 'both' | 'local' | 'network'
  /** Address of the manager to ask; empty = found automatically. */
  readonly manager: string
  readonly detachEnabled: boolean
  readonly reservedSeats: number
  readonly reservedPercent: number
  readonly maxDays: number
}

type Listener = (value: SettingValueKind) => void

export class Configuration implements RecordOwner {
  readonly kinds = ['setting'] as const
  readonly #parts: ConfigurationParts
  /** What the administrator set, whether or not it is in force. */
  #administrator: ReadonlyMap<string, SettingValueKind> = new Map()
  /** What the batch that is being decided leads to; a later change in the same batch goes on from it. */
  #draft: ReadonlyMap<string, SettingValueKind> | undefined
  /** What memory held when the records were read anew, to tell listeners what came out differently. */
  #before: ReadonlyMap<string, SettingValueKind> | undefined
  readonly #listeners = new Map<string, Set<Listener>>()
  readonly #anyListeners = new Set<(names: readonly string[]) => void>()

  constructor(parts: ConfigurationParts) {
    this.#parts = parts
  }

  reset(): void {
    this.#before ??= this.#administrator
    this.#administrator = new Map()
    this.#draft = undefined
  }

  restore(record: StoredRecord): void {
    const setting = findSetting(record.key)
    const check = setting && checkShape(record.key, setting, record.value)
    if (check?.kind === 'good') this.#administrator = new Map(this.#administrator).set(record.key, check.value)
    // of another version: kept in the store, not in force
    else this.#parts.onTrouble('a stored setting is not used', { name: record.key })
  }

  ready(): void {
    const before = this.#before
    this.#before = undefined
    if (!before) return
    const names = new Set([...before.keys(), ...this.#administrator.keys()])
    this.#tell(this.#compare(names, before, this.#administrator).map((change) => change.name))
  }

  get<Name extends SettingName>(name: Name): SettingValue<Name> {
    // every source is checked against the schema of its name before it gets here
    return this.#find(name).value as SettingValue<Name>
  }

  /** All settings of the agent, without those of single products. */
  snapshot(): SettingValues {
    return Object.fromEntries(settingNames.map((name) => [name, this.#find(name).value])) as SettingValues
  }

  /** @param product `vendor/product` */
  forProduct(product: string): ProductConfiguration {
    return {
      mode: this.#ofProduct('products.*.mode', product) ?? 'both',
      manager: this.#ofProduct('products.*.manager', product) ?? '',
      detachEnabled: this.#ofProduct('detach.products.*.enabled', product) ?? this.get('detach.enabled'),
      reservedSeats: this.#ofProduct('detach.products.*.reservedSeats', product) ?? this.get('detach.reservedSeats'),
      reservedPercent:
        this.#ofProduct('detach.products.*.reservedPercent', product) ?? this.get('detach.reservedPercent'),
      maxDays: this.#ofProduct('detach.products.*.maxDays', product) ?? this.get('detach.maxDays'),
    }
  }

  /** Every setting in the order of the table, then those of single products that are set; all pages or one. */
  describe(page?: ConfigurationPage): readonly SettingDescription[] {
    const { environment, file } = this.#parts.fixed
    const ofProducts = new Set([...file.keys(), ...this.#administrator.keys()].filter((name) => !isSettingName(name)))
    const descriptions: SettingDescription[] = []
    for (const name of [...settingNames, ...[...ofProducts].sort()]) {
      const setting = findSetting(name)
      if (!setting || (page !== undefined && setting.page !== page)) continue
      const { value, source } = this.#find(name)
      const setBy = environment.has(name) && isSettingName(name) ? variableOf(name) : this.#parts.fixed.fileName
      descriptions.push(describeSetting(name, setting, value, source, setBy))
    }
    return descriptions
  }

  /**
   * Changes what the administrator set. Refused as a whole when a part of it can't be: `invalid_request` with `errors`
   * (field, detail), `read_only_setting` with `names`. Null takes back what was set before.
   * @param by who changed it, for the journal
   */
  async change(patch: unknown, by: string): Promise<ChangeOutcome> {
    const check = this.validate(patch)
    if (check.kind === 'refused') return check
    return await this.#parts.writes.submit((transaction) => this.#decide(transaction, check.patch, by))
  }

  /** Whether a change could be made; changes nothing. */
  validate(patch: unknown): { readonly kind: 'valid'; readonly patch: Patch } | Refusal {
    const check = checkPatch(patch)
    if (check.kind === 'wrong') {
      const detail = check.errors.map((error) => error.detail).join('; ')
      return refuse('invalid_request', detail, { errors: check.errors })
    }
    const fixed = [...check.patch.keys()].filter((name) => this.#parts.fixed.environment.has(name))
    if (fixed.length > 0) {
      const detail = fixed.map((name) => `${name} is fixed by the environment`).join('; ')
      return refuse('read_only_setting', detail, { names: fixed })
    }
    return { kind: 'valid', patch: check.patch }
  }

  /** Calls `listener` with the new value when it changed. */
  onChange<Name extends SettingName>(name: Name, listener: (value: SettingValue<Name>) => void): Cancel {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners)
    const own: Listener = (value) => listener(value as SettingValue<Name>)
    listeners.add(own)
    return () => {
      listeners.delete(own)
    }
  }

  /** Calls `listener` with the names of all settings that changed, those of products included. */
  onAnyChange(listener: (names: readonly string[]) => void): Cancel {
    const own = (names: readonly string[]) => listener(names)
    this.#anyListeners.add(own)
    return () => {
      this.#anyListeners.delete(own)
    }
  }

  #decide(transaction: Transaction, patch: Patch, by: string): ChangeOutcome {
    const base = this.#draft ?? this.#administrator
    const next = new Map(base)
    for (const [name, value] of patch) {
      const old = base.get(name)
      if (value === null ? old === undefined : old !== undefined && isSame(old, value)) continue
      if (value === null) {
        next.delete(name)
        transaction.delete('setting', name)
      } else {
        next.set(name, value)
        transaction.put('setting', name, value)
      }
    }
    const changes = this.#compare(patch.keys(), base, next)
    for (const change of changes) transaction.journal(describeChange(change, by))
    this.#draft = next
    transaction.after(() => {
      this.#administrator = next
      this.#tell(changes.map((change) => change.name))
    })
    return { kind: 'changed', changes }
  }

  #compare(
    names: Iterable<string>,
    before: ReadonlyMap<string, SettingValueKind>,
    after: ReadonlyMap<string, SettingValueKind>,
  ): readonly ConfigurationChange[] {
    const changes: ConfigurationChange[] = []
    for (const name of names) {
      const from = this.#find(name, before).value
      const to = this.#find(name, after).value
      if (!isSame(from, to)) changes.push({ name, from, to, needsRestart: findSetting(name)?.needsRestart ?? false })
    }
    return changes
  }

  #find(
    name: string,
    administrator: ReadonlyMap<string, SettingValueKind> = this.#administrator,
  ): { readonly value: SettingValueKind; readonly source: Source } {
    const { environment, file } = this.#parts.fixed
    for (const [source, values] of [
      ['environment', environment],
      ['administrator', administrator],
      ['file', file],
    ] as const) {
      const value = values.get(name)
      if (value !== undefined) return { value, source }
    }
    return { value: this.#defaultOf(name), source: 'default' }
  }

  /** A setting of a product that is not set says what holds for all. */
  #defaultOf(name: string): SettingValueKind {
    const general = name.replace(/^detach\.products\..+\.([A-Za-z]+)$/, 'detach.$1')
    if (general !== name && isSettingName(general)) return this.#find(general).value
    const setting = isSettingName(name) ? settings[name] : findSetting(name)
    if (!setting) throw new Error(`${name} is not a setting`)
    return setting.default
  }

  #ofProduct<Pattern extends ProductSettingPattern>(
    pattern: Pattern,
    product: string,
  ): ProductSettingValue<Pattern> | undefined {
    const bare = product.slice(product.indexOf('/') + 1)
    for (const id of [product, bare]) {
      const name = nameForProduct(pattern, id)
      const value = this.#administrator.get(name) ?? this.#parts.fixed.file.get(name)
      if (value !== undefined) return value as ProductSettingValue<Pattern>
    }
    return undefined
  }

  #tell(names: readonly string[]): void {
    if (names.length === 0) return
    for (const name of names)
      for (const listener of this.#listeners.get(name) ?? []) this.#guard(name, () => listener(this.#find(name).value))
    for (const listener of this.#anyListeners) this.#guard(names.join(' '), () => listener(names))
  }

  /** What one listener does wrong must not keep the others from hearing of it. */
  #guard(name: string, task: () => void): void {
    try {
      task()
    } catch (error) {
      this.#parts.onTrouble('a changed setting could not be put in force', { name, error })
    }
  }
}

function describeChange({ name, from, to }: ConfigurationChange, by: string): Omit<Happening, 'instance'> {
  const type = 'configuration.changed'
  if (!findSetting(name)?.personal) return { type, facts: { name, from, to, by } }
  return { type, facts: { name, by }, personal: { from: String(from), to: String(to) } }
}

function isSame(one: SettingValueKind, other: SettingValueKind): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
