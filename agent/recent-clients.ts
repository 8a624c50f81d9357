/**
 * Who asked for seats lately, here or from other agents: the newest hundred of thirty days, so that people can make rules about
 * them with one click (S6, S14). Owns the records 'client'. They are written now and then, never with a request; what a crash
 * takes is at most a minute of them. Must not import who asks: broker, peers, http.
 */
import { hash } from 'node:crypto'
import { z } from 'zod'
import type { Cancel, Clock, Timers } from './clock.ts'
import { writeAddressRule, writeAgentRule, writeUserRule } from './domain/access/write.ts'
import type { JsonValue, StoredRecord } from './store/store.ts'
import type { RecordOwner, Writes } from './writes.ts'

/** Somebody who asked, with what came of it. */
export interface ClientNote {
  /** The agent that asked; of an application of this machine this agent. */
  readonly agent: { readonly id: string; readonly name: string }
  readonly address?: string | undefined
  readonly account?: string | undefined
  readonly email?: string | undefined
  readonly host?: string | undefined
  readonly product: string
  /** `granted`, or the code of the refusal. */
  readonly outcome: string
}

export interface RecentClient extends ClientNote {
  readonly id: string
  /** Wall time in ms. */
  readonly at: number
}

export interface RecentClientsOptions {
  readonly writes: Writes
  readonly clock: Pick<Clock, 'wall'>
  readonly timers: Timers
  /** Applications of this machine are no remote clients: rules about their machine make no sense. */
  readonly self: () => { readonly id: string }
}

export const mostClients = 100
const longest = 30 * 86_400_000
const writeEvery = 60_000

const text = z.string().max(255)
const clientRecord = z.strictObject({
  agent: z.strictObject({ id: text, name: text }),
  address: text.optional(),
  account: text.optional(),
  email: text.optional(),
  host: text.optional(),
  product: text,
  outcome: text,
  at: z.number(),
})

/** A rule about a client, ready to be put above the others. */
export interface ClientRule {
  readonly setting: 'serving.rules' | 'users.rules'
  readonly about: 'machine' | 'address' | 'user'
  readonly action: 'allow' | 'deny'
  readonly text: string
}

export class RecentClients implements RecordOwner {
  readonly kinds = ['client'] as const
  readonly #options: RecentClientsOptions
  /** By id, the longest ago first. */
  #clients = new Map<string, RecentClient>()
  #loading: RecentClient[] = []
  /** Ids of what the store does not have, or not as it is. */
  readonly #unwritten = new Set<string>()
  /** Ids that the store has. */
  #stored = new Set<string>()
  #timer: Cancel | undefined

  constructor(options: RecentClientsOptions) {
    this.#options = options
  }

  reset(): void {
    this.#loading = []
    this.#stored = new Set()
  }

  restore({ key, value }: StoredRecord): void {
    const read = clientRecord.safeParse(value)
    this.#stored.add(key)
    // Of another version: worth no more than to be forgotten.
    if (read.success) this.#loading.push({ id: key, ...read.data })
  }

  ready(): void {
    const fresh = [...this.#unwritten].flatMap((id) => this.#clients.get(id) ?? [])
    this.#clients = new Map()
    for (const client of this.#loading.sort((one, other) => one.at - other.at)) this.#clients.set(client.id, client)
    this.#loading = []
    for (const client of fresh) this.#place(client)
    this.#trim()
    if (this.#isBehind()) this.#writeSoon()
  }

  /** The newest first. */
  list(): readonly RecentClient[] {
    this.#trim()
    return [...this.#clients.values()].reverse()
  }

  /** Takes note in memory; the store hears of it within a minute. */
  note(note: ClientNote): void {
    const { agent, account, email, host } = note
    const who = JSON.stringify([agent.id, (email ?? account ?? '').toLowerCase(), (host ?? '').toLowerCase()])
    const id = hash('sha256', who, 'base64url').slice(0, 22)
    this.#place(makeClient(id, note, this.#options.clock.wall()))
    this.#unwritten.add(id)
    this.#trim()
    this.#writeSoon()
  }

  /** Rules about a client, for the lists that they belong in. */
  rulesFor(client: RecentClient): readonly ClientRule[] {
    const isRemote = client.agent.id !== this.#options.self().id
    return (['allow', 'deny'] as const).flatMap((action) => writeRules(client, action, isRemote))
  }

  /** Writes what is new. What can't be written now stays for the next time. */
  async flush(): Promise<void> {
    this.#trim()
    if (!this.#isBehind()) return
    const written = this.#options.writes.submit(
      (transaction) => {
        const puts = [...this.#unwritten].flatMap((id) => this.#clients.get(id) ?? [])
        const deletes = [...this.#stored].filter((id) => !this.#clients.has(id))
        for (const client of puts) transaction.put('client', client.id, recordOf(client))
        for (const id of deletes) transaction.delete('client', id)
        transaction.after(() => {
          for (const id of deletes) this.#stored.delete(id)
          for (const client of puts) {
            this.#stored.add(client.id)
            if (this.#clients.get(client.id) === client) this.#unwritten.delete(client.id)
          }
        })
      },
      { growing: true },
    )
    await written.catch(() => undefined)
  }

  async stop(): Promise<void> {
    this.#timer?.()
    this.#timer = undefined
    await this.flush()
  }

  #writeSoon(): void {
    this.#timer ??= this.#options.timers.after(writeEvery, () => {
      this.#timer = undefined
      this.flush().then(
        () => {
          if (this.#isBehind()) this.#writeSoon()
        },
        () => undefined,
      )
    })
  }

  #isBehind(): boolean {
    if (this.#unwritten.size > 0) return true
    for (const id of this.#stored) if (!this.#clients.has(id)) return true
    return false
  }

  #place(client: RecentClient): void {
    this.#clients.delete(client.id)
    this.#clients.set(client.id, client)
  }

  #trim(): void {
    const oldest = this.#options.clock.wall() - longest
    for (const [id, { at }] of this.#clients) {
      if (this.#clients.size <= mostClients && at > oldest) break
      this.#clients.delete(id)
      this.#unwritten.delete(id)
    }
  }
}

function makeClient(id: string, note: ClientNote, at: number): RecentClient {
  const { agent, address, account, email, host, product, outcome } = note
  return {
    id,
    agent: { id: agent.id, name: cleanText(agent.name, 64) },
    ...(address === undefined ? {} : { address: cleanText(address) }),
    ...(account === undefined ? {} : { account: cleanText(account) }),
    ...(email === undefined ? {} : { email: cleanText(email) }),
    ...(host === undefined ? {} : { host: cleanText(host) }),
    product: cleanText(product),
    outcome,
    at,
  }
}

/** Names come from whoever asks. */
function cleanText(name: string, most = 255): string {
  return name.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu, '').slice(0, most)
}

function recordOf({ agent, address, account, email, host, product, outcome, at }: RecentClient): JsonValue {
  return {
    agent: { id: agent.id, name: agent.name },
    ...(address === undefined ? {} : { address }),
    ...(account === undefined ? {} : { account }),
    ...(email === undefined ? {} : { email }),
    ...(host === undefined ? {} : { host }),
    product,
    outcome,
    at,
  }
}

function writeRules(client: RecentClient, action: 'allow' | 'deny', isRemote: boolean): ClientRule[] {
  const { agent, address, account, email, host } = client
  const rules: ClientRule[] = []
  if (isRemote) {
    const text = writeAgentRule(action, agent.id, agent.name)
    if (text !== undefined) rules.push({ setting: 'serving.rules', about: 'machine', action, text })
    const ofAddress = address === undefined ? undefined : writeAddressRule(action, address)
    if (ofAddress !== undefined) rules.push({ setting: 'serving.rules', about: 'address', action, text: ofAddress })
  }
  const ofUser = writeUserRule(action, {
    ...(account === undefined ? {} : { account }),
    ...(email === undefined ? {} : { email }),
    ...(host === undefined ? {} : { host }),
  })
  if (ofUser !== undefined) rules.push({ setting: 'users.rules', about: 'user', action, text: ofUser })
  return rules
}
