import test from 'ava'
import { blockOf } from '../../agent/detachment-blocks.ts'
import { writeBlock } from '../../agent/domain/documents/armor.ts'
import { buildDetachment, buildReturn } from '../../agent/domain/documents/detachment.ts'
import type { Refusal } from '../../agent/errors.ts'
import { TestVendor } from '../licenses/test-vendor.ts'
import { day, Machine, minute, pass, turns } from './machine.ts'
import { codeOf, inOf, iso, monday, office, outOf, take } from './office.ts'

/** A manager and a laptop that never meet. */
async function apart(terms: Parameters<typeof office>[0] = { activation: { needed: true } }) {
  const { server, laptop } = await office(terms)
  server.known.clear()
  laptop.known.clear()
  return { server, laptop }
}

/** What the laptop would carry to the manager, and the manager back. */
async function carry(server: Machine, laptop: Machine, days = 7) {
  const { recipient } = laptop.parts.detachments.recipient()
  return await take(server, { recipient, days })
}

async function apply(machine: Machine, text: string) {
  const outcome = await machine.parts.documents.process(text, { apply: true, trust: false })
  return outcome.kind === 'refused' ? outcome : outcome.documents
}

async function codeOfApplying(machine: Machine, text: string | undefined): Promise<string> {
  const outcome = await apply(machine, text ?? '')
  return 'code' in outcome ? outcome.code : (outcome[0]?.refused?.code ?? 'applied')
}

async function receiptOf(laptop: Machine, id: string): Promise<string> {
  const made = await laptop.parts.detachments.makeReceipt(id)
  if (made.kind === 'refused') throw new Error(`${made.code}: ${made.detail}`)
  return made.receipt
}

const mailed = (text = ''): string => `Hello,\n\n${text.replaceAll(/^/gm, '> ')}\n\nRegards`

test('S11: recipient block, detachment block, receipt: the seat goes and comes back between machines that never meet', async (t) => {
  const { server, laptop } = await apart()
  const { detachment, block } = await carry(server, laptop)
  t.like(detachment, { state: 'active', recipient: { name: 'LAPTOP' } })
  t.is(detachment.lastContactAt, undefined)
  t.is(await server.used(), 1)
  const preview = await laptop.parts.documents.process(mailed(block), { apply: false, trust: false })
  t.like(preview, {
    documents: [{ type: 'detachment', detachment: detachment.id, applied: false, refused: undefined }],
  })
  t.regex(
    JSON.stringify(preview),
    /Attaches the seats to this machine; they work with no network until 2027-01-11 08:00 UTC/,
  )
  t.is(await codeOfApplying(laptop, mailed(block)), 'applied')
  t.is(await laptop.opens('ana'), 'granted')
  t.is(await codeOf(await laptop.parts.detachments.makeReceipt(detachment.id)), 'detachment_in_use')
  await laptop.parts.lessor.end('ana', 'released')
  const receipt = await receiptOf(laptop, detachment.id)
  t.is(await laptop.opens('bob'), 'unknown_product')
  t.is(await server.used(), 1)
  t.is(await codeOfApplying(server, mailed(receipt)), 'applied')
  t.is(await server.used(), 0)
  t.is((await server.entries('detachment.returned'))[0]?.facts.how, 'receipt')
  await server.reconcile()
  await laptop.reconcile()
})

test('S11: the fingerprint of a block is that of who signed it, on both sides', async (t) => {
  const { server, laptop } = await apart()
  const own = laptop.parts.detachments.recipient()
  const seen = await server.parts.documents.process(own.recipient, { apply: false, trust: false })
  t.like(seen, { documents: [{ type: 'recipient', fingerprint: own.fingerprint }] })
  const { detachment, block } = await carry(server, laptop)
  t.is(detachment.recipient.fingerprint, own.fingerprint)
  const attached = await laptop.parts.documents.process(block ?? '', { apply: false, trust: false })
  t.like(attached, { documents: [{ fingerprint: server.parts.detachments.recipient().fingerprint }] })
})

test('a license that needs no activation is detached by hand, too', async (t) => {
  const { server, laptop } = await apart({})
  const { block } = await carry(server, laptop)
  t.is(await codeOfApplying(laptop, block), 'applied')
  t.is(await laptop.opens('ana'), 'granted')
  t.like(laptop.parts.detachments.list()[0], { manager: { id: server.id, name: 'SERVER' } })
})

test('R12: a recipient block of a clock that is off, or that is old, is refused with the reason', async (t) => {
  const { server, laptop } = await apart()
  const { recipient } = laptop.parts.detachments.recipient()
  server.clock.advance(9 * minute)
  await take(server, { recipient })
  t.is(outOf(server)[0]?.behind, 9 * minute)
  server.clock.advance(2 * minute)
  const refused = (await server.parts.detachments.detach({
    product: 'acme/cad',
    seats: 1,
    soft: false,
    who: {},
    recipient,
    days: 1,
  })) as Refusal
  t.is(refused.code, 'clocks_differ')
  t.regex(refused.detail, /By LAPTOP it is 2027-01-04T08:00:00.000Z, by SERVER 2027-01-04T08:11:00.000Z/)
})

test('wrong_recipient: a block for another machine, a receipt of another, and one for another manager', async (t) => {
  const { server, laptop } = await apart()
  const other = await Machine.start('OTHER')
  const { block, detachment } = await carry(server, laptop)
  t.is(await codeOfApplying(other, block), 'wrong_recipient')
  t.deepEqual([...other.parts.book.ins()], [])
  await apply(laptop, block ?? '')
  const receipt = await receiptOf(laptop, detachment.id)
  t.is(await codeOfApplying(other, receipt), 'wrong_recipient')
  // Somebody else signs that it gave back what it never had.
  const forger = await Machine.start('FORGER')
  const facts = { id: 'receipt-forged', now: 0, detachment: detachment.id, version: 1 }
  t.is(await codeOfApplying(server, blockOf([buildReturn(facts, forger.key)])), 'wrong_recipient')
  t.is(await server.used(), 1)
})

test('S11: a block that was cut off anywhere is refused, and never taken for the license that comes with it', async (t) => {
  for (const terms of [{}, { activation: { needed: true } }]) {
    const { server, laptop } = await apart(terms)
    const { block = '' } = await carry(server, laptop)
    const whole = block.length
    const end = block.indexOf('-----END LEASEHOLD DETACHMENT')
    const heads = Array.from({ length: 24 }, (_, at) => block.slice(0, Math.floor(((whole - 60) * at) / 24)))
    const tails = Array.from({ length: 24 }, (_, at) => block.slice(60 + Math.floor(((end - 100) * at) / 24)))
    for (const text of [...heads, ...tails]) {
      const outcome = await laptop.parts.documents.process(text, { apply: true, trust: true })
      t.true(['not_a_document', 'document_altered'].includes(codeOf(outcome)), `${codeOf(outcome)}\n${text}`)
    }
    t.deepEqual(laptop.parts.shelf.list(), [])
    t.deepEqual([...laptop.parts.book.ins()], [])
    t.is(await codeOfApplying(laptop, block), 'applied')
  }
})

test('already_applied, document_superseded, document_expired: each wrong block has its own code', async (t) => {
  const { server, laptop } = await apart()
  const { block, detachment } = await carry(server, laptop, 2)
  t.is(await codeOfApplying(laptop, block), 'applied')
  t.is(await codeOfApplying(laptop, block), 'already_applied')
  const extended = await server.parts.detachments.extend(detachment.id, { days: 5 })
  if (extended.kind === 'refused') throw new Error(extended.detail)
  t.like(extended.detachment, { version: 2, until: iso(monday + 5 * day) })
  t.is(await codeOfApplying(laptop, extended.block), 'applied')
  t.like(inOf(laptop)[0], { version: 2, until: monday + 5 * day })
  t.is(await codeOfApplying(laptop, block), 'document_superseded')
  await pass(5 * day, laptop)
  t.is(await codeOfApplying(laptop, extended.block), 'document_expired')
  const late = await Machine.start('LAPTOP', { key: laptop.key })
  await late.pass(6 * day)
  t.is(await codeOfApplying(late, extended.block), 'document_expired')
})

test('bad_signature and document_altered: a block that was changed or is not whole', async (t) => {
  const { server, laptop } = await apart()
  const { block = '' } = await carry(server, laptop)
  const [third = '', second = '', first = ''] = block.split(/(?=-----BEGIN)/)
  t.true(second.includes('ACTIVATION') && third.includes('DETACHMENT'))
  t.is(await codeOfApplying(laptop, third), 'document_altered')
  t.is(await codeOfApplying(laptop, first + third), 'document_altered')
  const at = block.length - 300
  const damaged = block.slice(0, at) + (block[at] === 'A' ? 'B' : 'A') + block.slice(at + 1)
  t.is(await codeOfApplying(laptop, damaged), 'document_altered')
  // The texts of another license do not make it valid.
  const foreign = await apart()
  const other = (await carry(foreign.server, foreign.laptop)).block?.split(/(?=-----BEGIN)/) ?? []
  t.is(await codeOfApplying(laptop, other.slice(1).join('') + third), 'document_altered')
  t.deepEqual(laptop.parts.shelf.list(), [])
  const [own = '', activation = '', license = ''] = inside(block)
  const forged = [license, activation, `${own.slice(0, -4)}AAAA`]
  t.is(await codeOfApplying(laptop, forged.join('\n\n')), 'bad_signature')
  t.deepEqual([...laptop.parts.book.ins()], [])
})

/** The compact texts in blocks. */
function inside(block: string): string[] {
  return block
    .split(/-----BEGIN[^\n]*-----/)
    .slice(1)
    .map(
      (one) =>
        one
          .replace(/-----END[\s\S]*$/, '')
          .split('\n\n')[1]
          ?.replaceAll('\n', '') ?? '',
    )
}

test('a detachment that says more than its license allows is refused', async (t) => {
  const { server, laptop } = await apart({ activation: { needed: true }, detach: { maxDays: 5 } })
  await carry(server, laptop, 3)
  const above = outOf(server)[0]?.texts.slice(0, 2) ?? []
  const now = Math.floor(monday / 1000)
  const facts = {
    id: 'detachment-too-long',
    version: 1,
    now,
    exp: now + 6 * 86_400,
    above,
    recipient: laptop.key.jwk,
    product: 'acme/cad',
    seats: 1,
    rule: 'session' as const,
    depth: 3,
    manager: { key: server.key, name: 'SERVER' },
  }
  t.is(await codeOfApplying(laptop, blockOf([...above, buildDetachment(facts)])), 'document_invalid')
  const wide = { ...facts, exp: now + 86_400, seats: 6 }
  t.is(await codeOfApplying(laptop, blockOf([...above, buildDetachment(wide)])), 'document_invalid')
  const stolen = { ...facts, exp: now + 86_400, manager: { key: laptop.key, name: 'SERVER' } }
  t.is(await codeOfApplying(laptop, blockOf([...above, buildDetachment(stolen)])), 'bad_signature')
})

test('R23: a receipt frees only if it names the latest version, and is applied once', async (t) => {
  const { server, laptop } = await apart()
  const { block = '', detachment } = await carry(server, laptop, 2)
  await apply(laptop, block)
  const receipt = await receiptOf(laptop, detachment.id)
  t.is(await receiptOf(laptop, detachment.id), receipt)
  const extended = await server.parts.detachments.extend(detachment.id, { days: 5 })
  if (extended.kind === 'refused') throw new Error(extended.detail)
  t.is(await codeOfApplying(server, receipt), 'document_superseded')
  t.is(await server.used(), 1)
  // The laptop is shown the later version: it stays given back, and makes a receipt for that one.
  const shown = await apply(laptop, extended.block ?? '')
  t.like(shown, [{ applied: false, refused: { code: 'already_returned' } }])
  const later = 'code' in shown ? '' : (shown[0]?.block ?? '')
  t.is(await laptop.opens('ana'), 'unknown_product')
  t.is(await codeOfApplying(server, later), 'applied')
  t.is(await server.used(), 0)
  t.is(await codeOfApplying(server, later), 'already_returned')
  t.is(await codeOfApplying(server, receipt), 'already_returned')
  t.is(await codeOfApplying(laptop, block), 'already_returned')
})

test('R23: after the end a receipt does nothing, whatever the seat is used for now', async (t) => {
  const { server, laptop } = await apart({ products: [{ name: 'cad', seats: 1 }] })
  const { block = '', detachment } = await carry(server, laptop, 2)
  await apply(laptop, block)
  const receipt = await receiptOf(laptop, detachment.id)
  await pass(2 * day + 11 * minute, server)
  t.is(await server.opens('ana'), 'granted')
  t.is(await codeOfApplying(server, receipt), 'document_expired')
  t.is(await server.used(), 1)
})

test('R15: the tombstone outlives the latest date in any of its documents, and then it is forgotten', async (t) => {
  const { server, laptop } = await apart()
  const { block = '', detachment } = await carry(server, laptop, 3)
  await apply(laptop, block)
  await receiptOf(laptop, detachment.id)
  await pass(3 * day + day / 2, server, laptop)
  await laptop.parts.holding.prune()
  await server.parts.ending.prune()
  t.is([...laptop.parts.book.ins()].length, 1)
  t.is(await codeOfApplying(laptop, block), 'already_returned')
  await pass(day, server, laptop)
  await laptop.parts.holding.prune()
  await server.parts.ending.prune()
  t.deepEqual([[...laptop.parts.book.ins()], [...server.parts.book.outs()]], [[], []])
  t.is(await codeOfApplying(laptop, block), 'document_expired')
})

test('detach_disabled: a laptop that takes nothing along refuses the block and names itself', async (t) => {
  const { server, laptop } = await apart()
  const { block } = await carry(server, laptop)
  laptop.settings = { ...laptop.settings, enabled: false }
  const outcome = await apply(laptop, block ?? '')
  t.like(outcome, { code: 'detach_disabled', facts: { machine: 'LAPTOP' } })
})

test('vendor_name_taken: a vendor of the same name with another key does not come in with a detachment', async (t) => {
  const { server, laptop } = await apart()
  const forged = new TestVendor('acme', (await Machine.start('FORGER')).key)
  const license = forged.license({ detach: { maxDays: 14 } })
  await laptop.install(writeBlock(license))
  const { block } = await carry(server, laptop)
  t.is(await codeOfApplying(laptop, block), 'vendor_name_taken')
})

test('the license and activation of a detachment block are not installed on the way', async (t) => {
  const { server, laptop } = await apart()
  const { block } = await carry(server, laptop)
  await apply(laptop, block ?? '')
  t.deepEqual(laptop.parts.shelf.list(), [])
  t.deepEqual(laptop.parts.vendors.list(), [])
})

test('R16: a receipt and the tombstone are one batch: a crash before it leaves the seat attached', async (t) => {
  const { server, laptop } = await apart()
  const { block = '', detachment } = await carry(server, laptop)
  await apply(laptop, block)
  laptop.store.failCommits('before')
  await t.throwsAsync(laptop.parts.detachments.makeReceipt(detachment.id))
  await turns()
  await laptop.restart()
  t.is(inOf(laptop).length, 1)
  laptop.store.failCommits('after')
  await t.throwsAsync(laptop.parts.detachments.makeReceipt(detachment.id))
  await turns()
  await laptop.restart()
  t.is(inOf(laptop).length, 0)
  t.is(await codeOfApplying(server, await receiptOf(laptop, detachment.id)), 'applied')
})
