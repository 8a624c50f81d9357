/**
 * Tries rules out against the journal: which requests of the last days would have come out differently (X14). Reads the newest
 * entries, a bounded number of them, with pauses; one run at a time. Owns nothing. Must not import who asks: broker, peers, http.
 */
import type { AccessJudge, Verdict } from './access-rules.ts'
import type { JournalEntry } from './domain/journal.ts'
import type { JournalSearch } from './journal-search.ts'

export interface DryRunOptions {
  readonly search: Pick<JournalSearch, 'page'>
  /** Wall time in ms. */
  readonly wall: () => number
  readonly self: () => { readonly id: string }
  /** Entries of the journal that are looked at, at most; 100,000 when left out: some 5 s. */
  readonly most?: number
}

/** Requests of one user at one machine for one product that would all have come out so. */
export interface DryRunCase {
  readonly product: string
  readonly feature?: string
  readonly account?: string
  readonly email?: string
  readonly host?: string
  readonly address?: string
  /** The agent that asked, where it was another one. */
  readonly agent?: string
  readonly times: number
  /** Of the newest, as wall time in ms. */
  readonly lastAt: number
  /** The rule that would have decided, as it is written; absent where none fits. */
  readonly rule?: string
  readonly line?: number
}

export interface DryRunSide {
  /** Requests. */
  readonly count: number
  /** Those with the most requests first. */
  readonly examples: readonly DryRunCase[]
}

export interface DryRunReport {
  /** Wall times in ms, of what was looked at. */
  readonly from: number
  readonly until: number
  /** Requests for seats that were looked at. */
  readonly requests: number
  /** False where there was more than could be looked at: it goes back to `from` only. */
  readonly complete: boolean
  /** Requests whose user is not known any more, so that nothing can be said of them. */
  readonly forgotten: number
  /** They got a seat, and would have been refused. */
  readonly refused: DryRunSide
  /** A rule refused them, and none would have; whether there was a seat is another matter. */
  readonly allowed: DryRunSide
}

export const longestDryRun = 30 * 86_400_000
const usualMost = 100_000
const entriesPerPage = 4000
const mostExamples = 20
/** Kept apart while counting; names come from whoever asks. */
const mostCases = 5000

const granted = new Set(['session.opened', 'lease.granted'])
const refused = new Set(['session.refused', 'lease.refused'])

export class DryRun {
  readonly #options: DryRunOptions
  /** The run that was asked for last; the next one waits for it. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: DryRunOptions) {
    this.#options = options
  }

  /** @param span ms back from now @param signal whoever asked is gone: rejects with its reason */
  run(judge: AccessJudge, span = longestDryRun, signal?: AbortSignal): Promise<DryRunReport> {
    const run = this.#last.then(() => this.#run(judge, Math.min(span, longestDryRun), signal))
    this.#last = run.catch(() => undefined)
    return run
  }

  async #run(judge: AccessJudge, span: number, signal: AbortSignal | undefined): Promise<DryRunReport> {
    const { search, wall, self, most = usualMost } = this.#options
    const until = wall()
    const from = until - span
    const tally = new Tally(judge, self().id)
    let older: number | undefined
    let looked = 0
    let oldest = until
    do {
      signal?.throwIfAborted()
      const page = await search.page({ from }, Math.min(entriesPerPage, most - looked), older)
      for (const entry of page.entries) tally.take(entry)
      oldest = page.entries.at(-1)?.at ?? oldest
      looked += Math.max(1, page.looked)
      older = page.older
    } while (older !== undefined && looked < most)
    const complete = older === undefined
    return { from: complete ? from : Math.min(oldest, until), until, complete, ...tally.finish() }
  }
}

type Counted = { -readonly [Name in keyof DryRunCase]: DryRunCase[Name] }

class Tally {
  readonly #judge: AccessJudge
  readonly #self: string
  #requests = 0
  #forgotten = 0
  readonly #refused = new Cases()
  readonly #allowed = new Cases()

  constructor(judge: AccessJudge, self: string) {
    this.#judge = judge
    this.#self = self
  }

  take(entry: JournalEntry): void {
    const { type, facts, personal } = entry
    const hadSeat = granted.has(type)
    if (!hadSeat && !refused.has(type)) return
    this.#requests += 1
    if (!hadSeat && facts.code !== 'denied_by_rule') return
    if (personal !== undefined && personal.texts === undefined) {
      this.#forgotten += 1
      return
    }
    const verdict = this.#decide(entry)
    if (hadSeat && verdict.kind === 'denied') this.#refused.add(this.#caseOf(entry, verdict))
    if (!hadSeat && verdict.kind === 'allowed') this.#allowed.add(this.#caseOf(entry, verdict))
  }

  finish(): Pick<DryRunReport, 'requests' | 'forgotten' | 'refused' | 'allowed'> {
    return {
      requests: this.#requests,
      forgotten: this.#forgotten,
      refused: this.#refused.finish(),
      allowed: this.#allowed.finish(),
    }
  }

  /** As the request was decided: its machine first, where it was another agent's; then its user; then each license. */
  #decide(entry: JournalEntry): Verdict {
    const { agent, product, feature, account, email, host, address } = factsOf(entry, this.#self)
    if (agent !== undefined) {
      const machine = this.#judge.machine({
        agent,
        ...(host === undefined ? {} : { name: host }),
        ...(address === undefined ? {} : { address }),
      })
      if (machine.kind === 'denied') return machine
    }
    const subject = {
      product,
      ...(feature === undefined ? {} : { feature }),
      ...(account === undefined ? {} : { account }),
      ...(email === undefined ? {} : { email }),
      ...(host === undefined ? {} : { host }),
      ...(address === undefined ? {} : { address }),
      ...(agent === undefined ? {} : { agent }),
    }
    const verdict = this.#judge.user(subject)
    if (verdict.kind === 'denied' || verdict.licenses === undefined) return verdict
    const { supplies } = entry.facts
    for (const supply of Array.isArray(supplies) ? (supplies as readonly string[]) : []) {
      // A license supply is called by its license and the product.
      const ofLicense = this.#judge.user({ ...subject, license: supply.split('/')[0] ?? '' })
      if (ofLicense.kind === 'denied') return ofLicense
    }
    return verdict
  }

  #caseOf(entry: JournalEntry, { rule, line }: Verdict): DryRunCase {
    return {
      ...factsOf(entry, this.#self),
      times: 1,
      lastAt: entry.at,
      ...(rule === undefined ? {} : { rule }),
      ...(line === undefined ? {} : { line }),
    }
  }
}

/** Cases of one outcome, put together where only the time differs. */
class Cases {
  readonly #cases = new Map<string, Counted>()
  #count = 0

  /** The newest come first. */
  add(found: DryRunCase): void {
    this.#count += 1
    const { times, lastAt, ...same } = found
    const key = JSON.stringify(same)
    const known = this.#cases.get(key)
    if (known !== undefined) known.times += times
    else if (this.#cases.size < mostCases) this.#cases.set(key, { ...found })
  }

  finish(): DryRunSide {
    const examples = [...this.#cases.values()].sort((one, other) => other.times - one.times).slice(0, mostExamples)
    return { count: this.#count, examples }
  }
}

function factsOf({ facts, personal }: JournalEntry, self: string) {
  const { account, email, host, address } = personal?.texts ?? {}
  const agent = [facts.agent, facts.holder].find((one) => typeof one === 'string')
  return {
    product: String(facts.product ?? ''),
    ...(typeof facts.feature === 'string' ? { feature: facts.feature } : {}),
    ...(account === undefined ? {} : { account }),
    ...(email === undefined ? {} : { email }),
    ...(host === undefined ? {} : { host }),
    ...(address === undefined ? {} : { address }),
    ...(typeof agent === 'string' && agent !== self ? { agent } : {}),
  }
}
