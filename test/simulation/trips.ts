/**
 * What people do with seats that they take along: they detach over the network and by mail, extend, give back, declare lost, switch
 * it off; and what becomes of the clocks that the dates are read from.
 */
import type { Detachments } from '../../agent/detachments.ts'
import type { ProductName } from '../../agent/domain/product-name.ts'
import type { Refusal } from '../../agent/errors.ts'
import type { Incident } from './incidents.ts'
import type { Site } from './site.ts'

export const tripIncidents: readonly Incident[] = [
  [50, 'detach', detachHere],
  [16, 'detach for another', detachForKnown],
  [20, 'detach by mail', sendRecipient],
  [30, 'extend', extend],
  [24, 'give back', giveBack],
  [12, 'receipt', sendReceipt],
  [8, 'declare lost', declareLost],
  [8, 'document is mailed again', mailAgain],
  [3, 'detaching is switched', switchDetaching],
  [4, 'wall is turned', turnWall],
  [6, 'wall is right again', (site) => site.setRight()],
]

/** In ms. */
const shortest = 20_000
const longest = 900_000
const farthest = 86_400_000

/** A date so far from now, as a person at this machine sees it. */
function endAt({ world: { random }, machine }: Site): { readonly until: string } {
  return { until: new Date(machine.wall + random.integer(shortest, longest)).toISOString() }
}

function productOf({ world: { random, sites }, catalog }: Site): ProductName {
  const license = random.pick(catalog.length > 0 ? catalog : sites.flatMap((site) => site.catalog))
  return `${license.vendor}/${license.product ?? 'cam'}`
}

function detachmentsOf({ agent }: Site): Detachments | undefined {
  return agent?.isListening ? agent.network?.travel?.detachments : undefined
}

function note(site: Site, what: string, asked: Promise<{ readonly kind: string } | Refusal>): void {
  asked
    .then((outcome) => {
      const said = 'code' in outcome ? outcome.code : outcome.kind
      site.world.count(`${what}: ${said}`)
      site.say(`${what}: ${said}`)
    })
    .catch((error: unknown) => site.noteTrouble(what, error))
}

function detachHere(site: Site): void {
  const { random } = site.world
  const detachments = detachmentsOf(site)
  if (!detachments) return
  const licenses = site.knows.flatMap(({ catalog }) => catalog)
  if (licenses.length === 0) return
  const { vendor, product: name = 'cam' } = random.pick(licenses)
  const product: ProductName = `${vendor}/${name}`
  const seats = random.integer(1, 2)
  const feature = product.endsWith('/cad') && random.chance(0.2) ? { feature: 'render' } : {}
  site.say(`takes ${seats} of ${product} along`)
  note(site, 'detached', detachments.detach({ product, ...feature, seats, ...endAt(site), soft: false, who: {} }))
}

function detachForKnown(site: Site): void {
  const { random, sites } = site.world
  const detachments = detachmentsOf(site)
  const others = sites.filter((one) => one !== site)
  if (!detachments || others.length === 0) return
  const recipient = random.pick(others)
  const product = productOf(site)
  site.say(`detaches ${product} for ${recipient.name}`)
  const wish = { product, seats: 1, ...endAt(site), soft: false, recipient: recipient.agentId, who: {} }
  note(site, 'made for another', detachments.detach(wish))
}

/** Its block goes to a manager, whose people make a detachment of it and mail that back. */
function sendRecipient(site: Site): void {
  const { random, sites, mail } = site.world
  const detachments = detachmentsOf(site)
  const managers = sites.filter((one) => one !== site && one.catalog.length > 0)
  if (!detachments || managers.length === 0) return
  mail.send(random.pick(managers), `the block of ${site.name}`, detachments.recipient().recipient, (manager, block) => {
    const made = detachmentsOf(manager)?.detach({
      product: productOf(manager),
      seats: random.integer(1, 2),
      ...endAt(manager),
      soft: false,
      recipient: block,
      who: {},
    })
    if (!made) return
    const sent = made.then((outcome) => {
      if (outcome.kind === 'made' && outcome.block !== undefined)
        mail.send(site, `detachment ${outcome.detachment.id}`, outcome.block)
      return outcome
    })
    note(manager, 'made by mail', sent)
  })
}

/** One that is here or that was made here, as a person picks it from the page. */
function pickOne(site: Site, direction?: 'in' | 'out'): string | undefined {
  const { book } = site.agent?.network?.travel ?? {}
  if (!book) return undefined
  const ids = [
    ...(direction === 'out' ? [] : [...book.ins()]),
    ...(direction === 'in' ? [] : [...book.outs()]),
  ].flatMap(({ id, state }) => (state === 'ended' && site.world.random.chance(0.9) ? [] : [id]))
  return ids.length === 0 ? undefined : site.world.random.pick(ids)
}

function extend(site: Site): void {
  const id = pickOne(site)
  const detachments = detachmentsOf(site)
  if (!detachments || id === undefined) return
  site.say(`extends ${id}`)
  const extended = detachments.extend(id, endAt(site)).then((outcome) => {
    const recipient = outcome.kind === 'made' ? outcome.detachment.recipient.id : undefined
    if (outcome.kind === 'made' && outcome.block !== undefined && site.world.random.chance(0.5))
      site.world.mail.send(site.world.siteOf(recipient ?? ''), `${id}, extended`, outcome.block)
    return outcome
  })
  note(site, 'extended', extended)
}

function giveBack(site: Site): void {
  const id = pickOne(site)
  const detachments = detachmentsOf(site)
  if (!detachments || id === undefined) return
  site.say(`gives ${id} back`)
  note(site, 'given back', detachments.giveBack(id))
}

function sendReceipt(site: Site): void {
  const id = pickOne(site, 'in')
  const detachments = detachmentsOf(site)
  if (!detachments || id === undefined) return
  site.say(`makes a receipt of ${id}`)
  const manager = site.ledger.detachments.ins.get(id)?.manager.id
  const made = detachments.makeReceipt(id).then((outcome) => {
    if (outcome.kind === 'made' && manager !== undefined)
      site.world.mail.send(site.world.siteOf(manager), `the receipt of ${id}`, outcome.receipt)
    return outcome
  })
  note(site, 'receipt', made)
}

function declareLost(site: Site): void {
  const id = pickOne(site, 'out')
  const detachments = detachmentsOf(site)
  if (!detachments || id === undefined) return
  site.say(`declares ${id} lost`)
  note(site, 'lost', detachments.declareLost(id, { by: 'admin' }))
}

/** Whoever has the page open at the manager can mail the document of any detachment, as it is now. */
function mailAgain(site: Site): void {
  const id = pickOne(site, 'out')
  const detachments = detachmentsOf(site)
  if (!detachments || id === undefined) return
  const recipient = detachments.get(id)?.recipient.id
  const made = detachments.block(id).then((outcome) => {
    if (outcome.kind === 'made' && recipient !== undefined)
      site.world.mail.send(site.world.siteOf(recipient), `${id} again`, outcome.block)
    return outcome
  })
  note(site, 'mailed again', made)
}

function switchDetaching(site: Site): void {
  const { settings, world } = site
  settings.detaching = !settings.detaching || world.random.chance(0.5)
  settings.kept = world.random.chance(0.3) ? 1 : 0
  site.say(`: detaching is ${settings.detaching ? 'on' : 'off'}, ${settings.kept} kept`)
}

/**
 * The clock of a machine whose licenses others have seats of goes wrong by less than the grace, or back (R11); that of others by
 * anything.
 */
function turnWall(site: Site): void {
  const { random } = site.world
  const isGiver = site.catalog.length > 0 || [...site.ledger.detachments.outs.values()].length > 0
  const off = random.chance(0.6) ? random.integer(-120_000, 120_000) : random.integer(-farthest, isGiver ? 0 : farthest)
  site.say(`has its wall clock ${off} ms off`)
  site.setRight(off)
}
