/**
 * X4 over other agents: what a manager signs for who leases from it, and what sessions on leased seats are proved with; checked by
 * our verifier with the vendor's key alone, by the client library, and by another implementation.
 */
import test from 'ava'
import { compactVerify, importJWK } from 'jose'
import { SessionProofs } from '../../agent/client/session-proof.ts'
import type { PublicJwk, SigningKey } from '../../agent/domain/documents/keys.ts'
import { verifyingKey } from '../../agent/domain/documents/keys.ts'
import type { Lease } from '../../agent/domain/documents/links.ts'
import type { Grant } from '../../agent/domain/grant.ts'
import { type ProofExpectation, verifyProof } from '../../agent/domain/proof.ts'
import type { Supply } from '../../agent/domain/supply.ts'
import type { LeaseLinks, SupplyLinks } from '../../agent/proofs.ts'
import { sampleKey } from '../domain/documents/samples.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { MemoryAgent } from '../helpers/memory-agent.ts'
import { leaseCommand, type Wish } from '../lessor/net.ts'
import { blockOf, type LicenseTerms, TestVendor } from './test-vendor.ts'

const nonce = 'nonce-of-the-application-1'
const start = Date.UTC(2027, 0, 4, 8)
const minute = 60_000
const ana = { email: 'ana@x.example' }

const keys: Record<string, SigningKey> = {}
for (const name of ['manager', 'branch', 'desktop']) keys[name] = sampleKey(`agent of the ${name}`)
const byId = (id: string): PublicJwk | undefined => Object.values(keys).find((one) => one.id === id)?.jwk

/** An agent that other agents lease from and that leases from others, with the links that it was given. */
class Peer {
  readonly links = new Map<string, SupplyLinks>()
  agent!: MemoryAgent

  /** @param ahead by how much its wall clock differs, in ms */
  static async start(name: 'manager' | 'branch' | 'desktop', ahead = 0): Promise<Peer> {
    const peer = new Peer()
    peer.agent = await MemoryAgent.start({
      key: keys[name] as SigningKey,
      clock: new ManualClock(start + ahead),
      peers: { keyOf: byId, linksOf: (supply) => peer.links.get(supply) },
    })
    return peer
  }

  get id(): string {
    return this.agent.key.id
  }

  get lessor() {
    return this.agent.parts.lessor
  }

  async install(vendor: TestVendor, terms: LicenseTerms): Promise<string> {
    const license = vendor.license({ activation: { needed: true }, ...terms })
    const id = await this.agent.install(blockOf(license))
    const activated = await this.agent.parts.desk.activate(
      id,
      vendor.answer(await this.agent.requestActivation(id), license),
    )
    if (activated.kind === 'refused') throw new Error(activated.detail)
    return id
  }

  supply(id: string): Supply {
    const found = this.lessor.view.supply(id)
    if (!found) throw new Error(`no supply ${id}`)
    return found
  }

  /** Leases from `manager`, or has the lease renewed, and makes a supply of what it was answered. */
  async lease(manager: Peer, id: string, wish: Wish = {}): Promise<{ grant: Grant; links: LeaseLinks | undefined }> {
    const askedAt = this.agent.clock.boot().at
    const answer = await manager.lessor.open(leaseCommand(this.id, manager.id, id, wish))
    if (answer.kind !== 'granted' && answer.kind !== 'repeated') throw new Error(`no lease: ${answer.kind}`)
    const { grant, expiresIn } = answer
    const source = manager.supply(grant.parts[0]?.supply ?? '')
    const links = await manager.agent.parts.proofs.leaseLinks(grant)
    if (links) this.links.set(id, { links: [...links.root, ...links.leases] })
    const { until: _, local: _local, features: _features, product: _product, title: _title, ...rest } = source
    const key = grant.parts[0]?.key
    const supply: Supply = {
      ...rest,
      id,
      kind: 'lease',
      product: grant.product.split('/')[1] ?? '',
      ...(source.product === undefined ? { any: true as const } : {}),
      features: {},
      seats: grant.seats,
      until: askedAt + expiresIn * 1000,
      depth: source.depth - 1,
      chain: [...source.chain, manager.id],
      onlyFeature: grant.feature ?? null,
      ...(key === undefined ? {} : { onlyKey: key }),
    }
    await this.agent.parts.writer.submit((transaction) => this.lessor.putSupply(transaction, supply, 'lease_lost'))
    return { grant, links }
  }
}

function pass(ms: number, ...peers: readonly Peer[]): void {
  for (const { agent } of peers) agent.clock.advance(ms)
}

function payloadOf(text: string | undefined): Lease {
  return JSON.parse(Buffer.from(text?.split('.')[1] ?? '', 'base64url').toString())
}

function check(proof: readonly string[] | undefined, vendor: TestVendor, change: Partial<ProofExpectation> = {}) {
  const right = { vendorKey: vendor.key.jwk, product: 'acme/cad', nonce, binding: nonce, now: start / 1000, ...change }
  return verifyProof(proof ?? [], right)
}

test('R26: a session on a leased seat is proved by the vendor key alone: license, activation, lease, assertion', async (t) => {
  const vendor = new TestVendor()
  const [manager, desktop] = [await Peer.start('manager'), await Peer.start('desktop')]
  const license = await manager.install(vendor, { count: 'user' })
  const { links } = await desktop.lease(manager, 'lease-1', { who: ana })
  t.is(links?.root.length, 2)
  t.is(links?.leases.length, 1)
  const session = await desktop.agent.seat({ nonce, user: ana })
  t.is(session.proof?.length, 4)
  const valid = check(session.proof, vendor, {
    session: session.id,
    key: { rule: 'user', parts: ['email', ana.email] },
  })
  t.like(valid, { kind: 'valid', agent: desktop.id, validFor: session.expiresIn, license: { id: license } })

  const read = async (text: string | undefined, key: PublicJwk) => {
    const { payload } = await compactVerify(text ?? '', await importJWK({ ...key }, 'EdDSA'), { algorithms: ['EdDSA'] })
    return JSON.parse(Buffer.from(payload).toString())
  }
  const activation = await read(session.proof?.[1], vendor.key.jwk)
  t.deepEqual(activation.next, keys.manager?.jwk)
  const lease = await read(session.proof?.[2], activation.next)
  t.like(lease, { typ: 'leasehold-lease', product: 'acme/cad', seats: 1, count: 'user', depth: 3 })
  t.deepEqual(lease.key, { rule: 'user', parts: ['email', ana.email] })
  t.is((await read(session.proof?.[3], lease.next)).session, session.id)

  t.like(
    check(links && [...links.root, ...links.leases], vendor),
    { kind: 'invalid' },
    'a lease alone proves no session',
  )
  t.like(check([...(session.proof?.slice(0, 2) ?? []), session.proof?.[3] ?? ''], vendor), { reason: 'bad_link' })
})

test('R27: the client library takes the proof of a leased seat, for its user and for no other', async (t) => {
  const vendor = new TestVendor()
  const [manager, desktop] = [await Peer.start('manager'), await Peer.start('desktop')]
  await manager.install(vendor, { count: 'user' })
  await desktop.lease(manager, 'lease-1', { who: ana })
  const session = await desktop.agent.seat({ nonce, user: ana })
  const judge = (email: string) =>
    new SessionProofs({
      vendor: verifyingKey(vendor.key.jwk),
      request: { product: 'cad', seats: 1, user: { email } } as never,
      newNonce: () => nonce,
      strict: true,
    }).judge(session, nonce, session, start)
  t.like(judge(ana.email), { kind: 'valid', proof: { agent: desktop.id, seats: 1 } })
  t.like(judge('bob@x.example'), { kind: 'invalid' })
})

test('R26: over two agents each link is signed by the one before it, also where their clocks are an hour apart', async (t) => {
  const vendor = new TestVendor()
  for (const [ahead, further] of [
    [0, 0],
    [61 * minute, -61 * minute],
    [-61 * minute, 0],
  ] as const) {
    const manager = await Peer.start('manager')
    const [branch, desktop] = [await Peer.start('branch', ahead), await Peer.start('desktop', further)]
    await manager.install(vendor, { count: 'host', exp: start / 1000 + 86_400 })
    await branch.lease(manager, 'up', { chain: [desktop.id, branch.id] })
    pass(100_000, manager, branch, desktop)
    await desktop.lease(branch, 'down')
    pass(50_000, manager, branch, desktop)
    const session = await desktop.agent.seat({ nonce })
    t.is(session.proof?.length, 5)
    const valid = check(session.proof, vendor, { key: { rule: 'host', parts: [desktop.id] } })
    t.is(valid.kind, 'valid', JSON.stringify(valid))
    const [, , up, down] = session.proof ?? []
    const [above, below] = [payloadOf(up), payloadOf(down)]
    t.deepEqual([above.depth, below.depth], [3, 2])
    t.true(below.exp <= above.exp - 15, 'a grace less than the one above')
    t.true(below.iat >= above.iat, 'told by the clock of the one above')
    t.is(payloadOf(session.proof?.[4]).iat, start / 1000 + 150, 'as the manager would have told it')
  }
})

test('R26: the text of a lease lasts no longer than the lease, its license, or a lease time; it is signed anew with each renewal', async (t) => {
  const vendor = new TestVendor()
  const [manager, desktop] = [await Peer.start('manager'), await Peer.start('desktop')]
  await manager.install(vendor, { leaseSeconds: 3600, exp: start / 1000 + 5000 })
  const first = payloadOf((await desktop.lease(manager, 'lease-1')).links?.leases[0])
  t.deepEqual([first.exp - first.iat, first.iat], [3600, start / 1000])
  pass(1_000_500, manager, desktop)
  const { grant } = await desktop.lease(manager, 'lease-1')
  const second = payloadOf(desktop.links.get('lease-1')?.links[2])
  t.deepEqual([second.iat, second.exp - second.iat], [start / 1000 + 1000, 3600])
  t.not(second.id, first.id)
  const session = await desktop.agent.seat({ nonce })
  t.is(check(session.proof, vendor).kind, 'valid')
  pass(1_000_000, manager, desktop)
  const between = payloadOf((await manager.agent.parts.proofs.leaseLinks(grant))?.leases[0])
  t.is(between.exp - between.iat, 2600, 'what is left of the promise')
  await desktop.lease(manager, 'lease-1')
  const third = payloadOf(desktop.links.get('lease-1')?.links[2])
  t.is(third.exp, start / 1000 + 5000 - 1, 'the license ends')
  t.is(
    check(((await desktop.agent.beat(session, nonce)) as { session: { proof: string[] } }).session.proof, vendor).kind,
    'valid',
  )
  pass(3_600_000, manager, desktop)
  t.is(await manager.agent.parts.proofs.leaseLinks(grant), undefined, 'nothing is promised any more')
})

test('R26: a lease of any-product seats, of a feature or of a reserve proves just that', async (t) => {
  const vendor = new TestVendor()
  const [manager, desktop] = [await Peer.start('manager'), await Peer.start('desktop')]
  await manager.install(vendor, {
    count: 'user',
    products: [
      { name: 'cad', seats: 2, features: [{ name: 'render', seats: 1 }] },
      { any: true, seats: 3 },
    ],
  })
  await desktop.lease(manager, 'render', { who: ana, feature: 'render' })
  const rendering = await desktop.agent.seat({ nonce, user: ana, feature: 'render' })
  t.is(check(rendering.proof, vendor, { feature: 'render' }).kind, 'valid')
  t.like(check(rendering.proof, vendor), { reason: 'wrong_feature' })

  const { grant, links } = await desktop.lease(manager, 'reserve', { who: ana, seats: 9, purpose: 'reserve' })
  t.is(grant.seats, 3)
  t.like(payloadOf(links?.leases[0]), { any: true, seats: 3 })
  t.is(payloadOf(links?.leases[0]).key, undefined)
  const user = { email: 'bob@x.example' }
  const drawing = await desktop.agent.seat({ nonce, user, seats: 2 })
  t.is(check(drawing.proof, vendor, { seats: 2, key: { rule: 'user', parts: ['email', user.email] } }).kind, 'valid')
  t.like(check(drawing.proof, vendor, { seats: 3 }), { reason: 'too_few_seats' })
})

test('R27: there is no proof of a lease where the license needs no activation, or the key of who holds it is not known', async (t) => {
  const vendor = new TestVendor()
  const [manager, desktop] = [await Peer.start('manager'), await Peer.start('desktop')]
  await manager.agent.install(blockOf(vendor.license()))
  t.is((await desktop.lease(manager, 'lease-1')).links, undefined)
  const session = await desktop.agent.seat({ nonce })
  t.deepEqual([session.proof, session.proofUnavailable], [undefined, 'not_activated'])
  await manager.install(vendor, { products: [{ name: 'cam', seats: 1 }] })
  const unknown = await manager.lessor.open({ ...leaseCommand('nobody', manager.id, 'lease-2'), product: 'acme/cam' })
  if (unknown.kind !== 'granted') throw new Error(unknown.kind)
  t.is(await manager.agent.parts.proofs.leaseLinks(unknown.grant), undefined)
  const own = await manager.lessor.open({ ...leaseCommand(desktop.id, manager.id, 'lease-3'), product: 'acme/cad' })
  if (own.kind !== 'granted') throw new Error(own.kind)
  t.is(await manager.agent.parts.proofs.leaseLinks(own.grant), undefined)
})

test('R27: links that are none prove nothing', async (t) => {
  const vendor = new TestVendor()
  const [manager, desktop] = [await Peer.start('manager'), await Peer.start('desktop')]
  await manager.install(vendor, {})
  await desktop.lease(manager, 'lease-1')
  const good = desktop.links.get('lease-1')?.links ?? []
  const session = await desktop.agent.seat({ nonce })
  for (const links of [[], good.slice(0, 2), [...good.slice(0, 2), 'nonsense'], [...good, good[1] ?? '']]) {
    desktop.links.set('lease-1', { links })
    const beat = await desktop.agent.beat(session, nonce)
    t.like(beat, { kind: 'kept', session: { proofUnavailable: 'not_activated' } })
  }
})
