/**
 * A whole agent over HTTP, from a vendor that nobody knows to a license that has moved away.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { z } from 'zod'
import { createAgent } from '../../agent/agent.ts'
import { shortGroups } from '../../agent/domain/documents/keys.ts'
import { verifyProof } from '../../agent/domain/proof.ts'
import { openIdentity } from '../../agent/identity.ts'
import { createLog } from '../../agent/log.ts'
import { pathsIn } from '../../agent/paths.ts'
import { noProcesses } from '../../agent/process-watch.ts'
import { MemoryStore } from '../../agent/store/memory-store.ts'
import { JoinedClock, systemSources, systemTimers } from '../../agent/system-clock.ts'
import { usualHardware } from '../helpers/memory-agent.ts'
import { blockOf, openText, TestVendor } from './test-vendor.ts'

const clock = new JoinedClock(systemSources())
const session = z.looseObject({ id: z.string(), key: z.string(), proof: z.array(z.string()) })

/** An agent that serves on a free port, and who asks it. */
async function serve() {
  const folder = await mkdtemp(join(tmpdir(), 'leasehold-licenses-'))
  const paths = pathsIn(folder)
  const agent = await createAgent({
    paths,
    identity: await openIdentity(paths),
    store: new MemoryStore(),
    ballast: { free: async () => undefined, restore: async () => true },
    clock,
    timers: systemTimers,
    fixed: { environment: new Map([['network.port', 0]]), file: new Map() },
    hardware: usualHardware,
    processes: noProcesses,
    log: createLog('error'),
  })
  const started = await agent.start()
  if (started.kind !== 'listening') throw new Error(started.kind)
  const ask = async (method: string, path: string, body?: object, headers: Record<string, string> = {}) => {
    const answer = await fetch(`http://127.0.0.1:${started.port}/api/v1${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    const read: Record<string, unknown> = text === '' ? {} : JSON.parse(text)
    return { status: answer.status, body: read }
  }
  const stop = async () => {
    await agent.stop()
    await rm(folder, { recursive: true })
  }
  return { ask, stop }
}

test('a license is installed, activated, used, proved and moved away over HTTP', async (t) => {
  const { ask, stop } = await serve()
  const vendor = new TestVendor('acme')
  const now = clock.wall()
  const license = vendor.license({ activation: { needed: true } }, now)
  const path = `/licenses/${license.payload.id}`
  const text = blockOf(license)

  const untrusted = await ask('POST', '/licenses', { text })
  t.like(untrusted, {
    status: 409,
    body: { code: 'untrusted_vendor', vendor: 'acme', fingerprint: shortGroups(vendor.key.id) },
  })
  t.like(await ask('POST', '/licenses', { text, trust: true }), { status: 201, body: { state: 'not_activated' } })
  t.like(await ask('POST', '/licenses', { text }), { status: 422, body: { code: 'already_applied' } })
  const open = (key: string) =>
    ask('POST', '/sessions', { product: 'cad', nonce: 'nonce-of-the-application-1' }, { 'idempotency-key': key })
  t.like(await open('before-the-activation'), { status: 409, body: { code: 'license_not_active' } })

  const { body: requested } = await ask('POST', `${path}/activation-request`, {})
  const answer = vendor.answer(z.string().parse(requested.request), license, { now })
  t.like(await ask('POST', '/documents', { text: answer }), { status: 200, body: { documents: [{ applied: false }] } })
  t.like(await ask('POST', '/documents', { text: answer, apply: true }), { body: { documents: [{ applied: true }] } })
  t.like(await ask('GET', path), { status: 200, body: { state: 'active', activation: { number: 1 } } })

  const opened = await open('after-the-activation')
  t.is(opened.status, 201)
  const { id, key, proof } = session.parse(opened.body)
  const nonce = 'nonce-of-the-application-1'
  const expected = { vendorKey: vendor.key.jwk, product: 'acme/cad', nonce, binding: nonce, session: id }
  t.is(verifyProof(proof, { ...expected, now: Math.floor(now / 1000) }).kind, 'valid')
  const foreign = { product: 'cad', vendorKey: new TestVendor('rival').key.id }
  t.like(await ask('POST', '/sessions', foreign, { 'idempotency-key': 'another-vendor-key' }), { status: 404 })

  t.like(await ask('POST', `${path}/deactivate`, {}), { status: 202, body: { state: 'deactivating' } })
  t.like(await open('while-it-moves-away'), { status: 409, body: { code: 'license_not_active' } })
  t.is((await ask('DELETE', `/sessions/${id}`, undefined, { 'session-key': key })).status, 204)
  const moved = await ask('POST', `${path}/deactivate`, {})
  t.is(moved.status, 200)
  t.is(openText(z.string().parse(moved.body.receipt)).typ, 'leasehold-deactivation')
  t.like(await open('after-it-has-moved'), { status: 404, body: { code: 'unknown_product' } })
  t.is((await ask('DELETE', path)).status, 204)
  t.is((await ask('GET', path)).status, 404)

  t.like(await ask('GET', '/journal?type=license&order=oldest-first'), {
    body: {
      items: [
        { type: 'license.installed' },
        { type: 'license.activated' },
        { type: 'license.deactivated' },
        { type: 'license.removed' },
      ],
    },
  })
  t.like(await ask('GET', '/journal/verify'), { body: { kind: 'good' } })
  await stop()
})

test('the journal is paged in both orders without losing or repeating an entry', async (t) => {
  const { ask, stop } = await serve()
  await ask('POST', '/sample', {})
  for (const filter of ['order=newest-first', 'order=oldest-first', 'order=newest-first&type=license', 'from=2&to=5']) {
    const all = await ask('GET', `/journal?limit=200&${filter}`)
    const wanted = z
      .array(z.looseObject({ sequence: z.number() }))
      .parse(all.body.items)
      .map((one) => one.sequence)
    t.is(all.body.total, wanted.length, filter)
    const paged: number[] = []
    for (let cursor = ''; ; ) {
      const { body } = await ask('GET', `/journal?limit=2&${filter}${cursor}`)
      t.is(body.total, wanted.length, filter)
      paged.push(
        ...z
          .array(z.looseObject({ sequence: z.number() }))
          .parse(body.items)
          .map((one) => one.sequence),
      )
      if (body.next === undefined) break
      cursor = `&cursor=${body.next}`
    }
    t.deepEqual(paged, wanted, filter)
  }
  const first = await ask('GET', '/journal?limit=2')
  t.deepEqual((await ask('GET', '/journal?limit=2&cursor=of-nobody')).body, first.body, 'begins anew')
  await stop()
})
