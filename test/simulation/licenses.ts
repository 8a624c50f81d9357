/**
 * Licenses as the simulator has them: the owner of the license records, who tells the lessor which supplies there are. It
 * stands for `agent/licenses.ts` without signatures and activation; what matters to seats is the same: every change of a
 * supply is in the same batch as its record, and after loading the supplies are there before anything is decided.
 */
import type { Clock } from '../../agent/clock.ts'
import type { CountRule } from '../../agent/domain/count-key.ts'
import type { License as DocumentOfLicense } from '../../agent/domain/documents/license.ts'
import { licenseSupplyId, type Supply, type Takes } from '../../agent/domain/supply.ts'
import type { Lessor } from '../../agent/lessor.ts'
import type { JsonValue, StoredRecord } from '../../agent/store/store.ts'
import type { RecordOwner, Writes } from '../../agent/writes.ts'
import type { Random } from './random.ts'
import { vendorKey } from './vendors.ts'

export interface License {
  readonly id: string
  readonly vendor: string
  /** Absent: seats for any product of the vendor. */
  readonly product?: string
  readonly seats: number
  readonly features: Readonly<Record<string, number | null>>
  readonly rule: CountRule
  readonly leaseSeconds: number
  /** True time in ms at which it ends. */
  readonly end?: number
  readonly takes: Takes
  /** Whether its seats may be detached, and how they come back. */
  readonly detach?: NonNullable<DocumentOfLicense['detach']>
}

const leaseTimes = [20, 30, 60, 120]
const rules = ['session', 'process', 'host', 'user'] as const

/** Mostly one rule for all, so that the count over a whole vendor can be checked too. */
export function ruleOfAll(random: Random): CountRule | undefined {
  return random.chance(0.7) ? random.pick(rules) : undefined
}

/** How seats of a license may be detached. */
export function inventDetaching(random: Random): NonNullable<License['detach']> {
  return {
    maxDays: 3,
    cascade: random.chance(0.5),
    earlyReturn: random.pick(['offline', 'offline', 'online', 'atDate'] as const),
    ...(random.chance(0.5) ? { lost: { afterDays: 0, perYear: 5 } } : {}),
  }
}

/** @param where part of the ids, for each machine another */
export function inventLicenses(random: Random, rule: CountRule | undefined, where: string): License[] {
  const make = (id: string, product: string | undefined): License => ({
    id: `license-${where}${id}`,
    vendor: 'acme',
    ...(product === undefined ? {} : { product }),
    seats: random.integer(1, 5),
    features: product === 'cad' ? { render: random.integer(1, 2), plot: null } : {},
    rule: rule ?? random.pick(rules),
    leaseSeconds: random.pick(leaseTimes),
    takes: { kind: 'sessions' },
  })
  const all = [
    make('1', 'cad'),
    make('2', 'cad'),
    make('3', 'cam'),
    make('4', undefined),
    { ...make('5', 'cad'), vendor: 'other' },
  ]
  return all.filter((_, index) => index === 0 || random.chance(0.7))
}

/** What web sites need one seat of, each. @param like one of the same machine */
export function serverLicense(like: License): License {
  return { ...like, id: `${like.id}-portal`, product: 'portal', seats: 4, features: {} }
}

export function supplyIdOf(license: License): string {
  return licenseSupplyId(license.id, license.product)
}

export interface LicensesParts {
  readonly clock: Clock
  readonly writes: Writes
  readonly lessor: Lessor
  readonly instance: string
  readonly trueTime: () => number
  /** A supply is about to be closed because its time is over. */
  readonly onEnd: (supply: string) => void
}

export class SimulatedLicenses implements RecordOwner {
  readonly kinds = ['license'] as const
  readonly #parts: LicensesParts
  #licenses = new Map<string, License>()

  constructor(parts: LicensesParts) {
    this.#parts = parts
  }

  reset(): void {
    this.#licenses = new Map()
  }

  restore(record: StoredRecord): void {
    this.#licenses.set(record.key, record.value as unknown as License)
  }

  ready(): void {
    this.#parts.lessor.setSupplies([...this.#licenses.values()].map((license) => this.#supplyOf(license)))
  }

  get(id: string): License | undefined {
    return this.#licenses.get(id)
  }

  async put(license: License): Promise<void> {
    await this.#parts.writes.submit((transaction) => {
      transaction.put('license', license.id, license as unknown as JsonValue)
      this.#parts.lessor.putSupply(transaction, this.#supplyOf(license), 'license_removed')
      transaction.after(() => this.#licenses.set(license.id, license))
    })
  }

  async remove(license: License): Promise<void> {
    await this.#parts.writes.submit((transaction) => {
      transaction.delete('license', license.id)
      this.#parts.lessor.dropSupply(transaction, supplyIdOf(license), 'license_removed')
      transaction.after(() => this.#licenses.delete(license.id))
    })
  }

  /** Closes what has ended by time. */
  async look(): Promise<void> {
    const now = this.#parts.trueTime()
    for (const license of this.#licenses.values()) {
      if (license.end === undefined || license.end > now || license.takes.kind === 'nothing') continue
      this.#parts.onEnd(supplyIdOf(license))
      await this.put({ ...license, takes: { kind: 'nothing', why: 'license_expired' } })
    }
  }

  #supplyOf(license: License): Supply {
    const { end, detach, ...rest } = license
    return {
      ...rest,
      id: supplyIdOf(license),
      instance: this.#parts.instance,
      kind: 'license',
      license: license.id,
      vendorKey: vendorKey(license.vendor).id,
      overlap: true,
      depth: 4,
      chain: [],
      ...(detach === undefined ? {} : { maxDetachDays: detach.maxDays }),
      ...(end === undefined ? {} : { until: this.#parts.clock.boot().at + end - this.#parts.trueTime() }),
    }
  }
}
