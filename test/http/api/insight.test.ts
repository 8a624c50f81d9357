import test from 'ava'
import { recountProduct } from '../../../agent/agent-recount.ts'
import { errorTable, refuse } from '../../../agent/errors.ts'
import type { ComputersParts } from '../../../agent/http/api/computers.ts'
import { type Computer, computer, recount, refusedSeat } from '../../../agent/http/api/insight-shapes.ts'
import type { ServingParts } from '../../../agent/http/api/serving.ts'
import { list, problem } from '../../../agent/http/api/shapes.ts'
import { Refusals } from '../../../agent/refusals.ts'
import { type RefusalFilter, refusedSeatViews } from '../../../agent/session-refusal-view.ts'
import { MemoryAgent } from '../../helpers/memory-agent.ts'
import { blockOf, TestVendor } from '../../licenses/test-vendor.ts'
import { call, makeParts, withAgent } from './api-call.ts'

const acme = new TestVendor('acme')

test('X1: a refusal is listed with what was said to the one who asked, in the shape that is described', async (t) => {
  const agent = await MemoryAgent.start()
  t.teardown(() => agent.stop())
  await agent.install(blockOf(acme.license({ products: [{ name: 'cad', seats: 1 }] })))
  await agent.seat({ user: { account: 'ana', displayName: 'Ana Ruiz' } })
  const refused = await agent.open({ user: { account: 'bo' }, host: 'ws-bo', application: 'CAD 7' })
  if (refused.kind !== 'refused') return t.fail('there was a seat for both')
  const refusals = new Refusals({ journal: agent.parts.journal, wall: () => agent.clock.wall() })
  const who = { account: 'bo', host: 'ws-bo', application: 'CAD 7', address: '127.0.0.1' }
  refusals.note({ product: 'acme/cad', seats: 1, who }, refused)
  const [view, ...others] = list(refusedSeat).parse({ items: refusedSeatViews(refusals.list(), {}), total: 1 }).items
  t.deepEqual(others, [])
  const { title, help } = errorTable.no_seats
  t.like(view, { product: 'acme/cad', seats: 1, code: 'no_seats', title, help, times: 1, detail: refused.detail })
  t.like(view, { user: { account: 'bo' }, host: 'ws-bo', application: 'CAD 7', retryIn: 30 })
  t.like(view?.explanation?.managers[0], { seats: 1, used: 1 })
  t.is(view?.explanation?.managers[0]?.holders?.[0]?.user, 'Ana Ruiz')
})

test('refusals are found by product, with or without its vendor, and by any part of the user', (t) => {
  let now = 0
  const journal = { read: async function* () {} }
  const refusals = new Refusals({ journal, wall: () => ++now })
  for (const [product, who] of [
    ['acme/cad', { account: 'AD\\ana' }],
    ['other/cad', { email: 'Bo@example.org' }],
    ['cad', { displayName: 'Cleo Ana' }],
  ] as const)
    refusals.note({ product, seats: 1, who }, refuse('denied_by_rule', 'No.', { explanation: { rule: 'deny all' } }))
  const found = (filter: RefusalFilter) => refusedSeatViews(refusals.list(), filter).map(({ product }) => product)
  t.deepEqual(found({}), ['cad', 'other/cad', 'acme/cad'])
  t.deepEqual(found({ product: 'acme/cad' }), ['acme/cad'])
  t.deepEqual(found({ product: 'cad' }), ['cad', 'other/cad', 'acme/cad'])
  t.deepEqual(found({ product: 'ad' }), [])
  t.deepEqual(found({ user: 'ANA' }), ['cad', 'acme/cad'])
  t.deepEqual(found({ user: 'bo@', product: 'other/cad' }), ['other/cad'])
  t.is(refusedSeatViews(refusals.list(), {})[0]?.rule, 'deny all')
})

const never = async () => refuse('not_found', 'not part of this test')

test('lists of refusals and of computers hand on their filters, and refuse others', async (t) => {
  const asked: unknown[] = []
  const none = (query: unknown) => {
    asked.push(query)
    return { items: [], total: 0 }
  }
  await withAgent(
    { api: { refusals: { list: none }, computers: { list: none, disconnect: never } } },
    async (agent) => {
      t.is((await call(agent, 'GET', '/api/v1/refusals?product=acme/cad&user=ana&limit=5&cursor=5')).status, 200)
      t.is((await call(agent, 'GET', '/api/v1/computers?product=cad&user=ana&host=ws')).status, 200)
      t.deepEqual(asked, [
        { product: 'acme/cad', user: 'ana', limit: 5, cursor: '5' },
        { product: 'cad', user: 'ana', host: 'ws', limit: 100 },
      ])
      for (const address of ['refusals?host=ws', 'refusals?limit=0', 'computers?state=active', 'computers?limit=1001'])
        t.is((await call(agent, 'GET', `/api/v1/${address}`)).status, 422, address)
    },
  )
})

test('I10: the mode of a product is shown and changed by its own call', async (t) => {
  const asked: unknown[] = []
  let shown = { mode: 'both', manager: '' } as { mode: 'both' | 'local' | 'network'; manager: string }
  const products = {
    ...makeParts().products,
    mode: () => shown,
    changeMode: async (...order: unknown[]) => {
      asked.push(order)
      shown = { mode: 'network', manager: 'office:1948' }
      return { kind: 'changed' as const }
    },
  }
  await withAgent({ api: { products } }, async (agent) => {
    const at = '/api/v1/products/acme/cad/mode'
    t.deepEqual((await call(agent, 'GET', at)).body, { mode: 'both', manager: '' })
    t.deepEqual((await call(agent, 'PUT', at, { mode: 'network' })).body, shown)
    t.is((await call(agent, 'PUT', at, { mode: 'elsewhere' })).status, 422)
  })
  t.deepEqual(asked, [['acme/cad', { mode: 'network' }, 'administrator']])
})

test('a computer is told in the shape that is described, with what it uses', async (t) => {
  const ana: Computer = {
    id: 'computer-1',
    host: 'ws-ana',
    user: { account: 'ana' },
    addresses: ['127.0.0.1'],
    sessions: 2,
    seats: 3,
    since: '2027-01-04T08:00:00.000Z',
    uses: [{ product: 'acme/cad', seats: 3, since: '2027-01-04T08:00:00.000Z' }],
  }
  await withAgent(
    { api: { computers: { list: () => ({ items: [ana], total: 1 }), disconnect: never } } },
    async (agent) => {
      const { body } = await call(agent, 'GET', '/api/v1/computers')
      t.deepEqual(list(computer).parse(body).items, [ana])
    },
  )
})

test('I8: disconnecting a computer hands on the order and answers when its last seat is free', async (t) => {
  const orders: unknown[] = []
  const computers: ComputersParts = {
    list: () => ({ items: [], total: 0 }),
    disconnect: async (id, order) => {
      orders.push([id, order])
      if (id !== 'computer-1') return refuse('unknown_session', 'Nothing is in use there any more.')
      return { kind: 'disconnected', outcome: { ended: 'ending', freeAt: '2027-01-04T08:10:15.000Z' } }
    },
  }
  await withAgent({ api: { computers } }, async (agent) => {
    const ended = await call(agent, 'POST', '/api/v1/computers/computer-1/disconnect', { reason: 'it hangs' })
    t.is(ended.status, 200)
    t.is((await call(agent, 'POST', '/api/v1/computers/other/disconnect', { freeNow: true })).status, 404)
    t.is((await call(agent, 'POST', '/api/v1/computers/a%2Fb/disconnect')).status, 404)
    t.deepEqual(orders, [
      ['computer-1', { reason: 'it hangs', freeNow: false }],
      ['other', { freeNow: true }],
    ])
  })
})

test('M3, I9: the switches of serving are handed on, and what can not be is refused', async (t) => {
  const changes: unknown[] = []
  const { serving } = makeParts()
  const change: ServingParts['change'] = async (one) => {
    changes.push(one)
    return one.handingOut === false ? refuse('read_only_setting', 'It is fixed.') : { kind: 'changed' }
  }
  await withAgent({ api: { serving: { ...serving, change } } }, async (agent) => {
    t.like((await call(agent, 'GET', '/api/v1/serving')).body, { state: 'open', users: 0 })
    t.is((await call(agent, 'PUT', '/api/v1/serving', { running: false })).status, 200)
    t.is((await call(agent, 'PUT', '/api/v1/serving', { handingOut: false })).status, 409)
    for (const wrong of [{}, { running: 'no' }, { stopped: true }])
      t.is((await call(agent, 'PUT', '/api/v1/serving', wrong)).status, 422)
    t.deepEqual(changes, [{ running: false }, { handingOut: false }])
  })
})

test('M5: a recount shows both counts of each license, and the journal keeps that it was done', async (t) => {
  const memory = await MemoryAgent.start()
  t.teardown(() => memory.stop())
  await memory.install(blockOf(acme.license({ products: [{ name: 'cad', seats: 3 }] })))
  await memory.seat()
  const { products } = makeParts()
  const api = { products: { ...products, recount: (id: string) => recountProduct(memory.parts, id) } }
  await withAgent({ api }, async (agent) => {
    const counted = await call(agent, 'POST', '/api/v1/products/acme/cad/recount')
    t.is(counted.status, 200)
    const { licenses } = recount.parse(counted.body)
    t.is(licenses.length, 1)
    t.like(licenses[0], { any: false, kept: 1, counted: 1 })
    for (const id of ['acme/none', 'acme/*', 'nobody/cad']) {
      const unknown = await call(agent, 'POST', `/api/v1/products/${id}/recount`)
      t.is(unknown.status, 404, id)
      t.is(problem.parse(unknown.body).code, 'unknown_product')
    }
    const wrong = await call(agent, 'POST', '/api/v1/products/acme/a%20b/recount')
    t.is(problem.parse(wrong.body).code, 'not_found')
  })
  const noted = []
  for await (const { type, facts } of memory.parts.journal.read({ type: 'health', order: 'oldest-first' }, 10))
    noted.push({ type, facts })
  t.deepEqual(noted, [{ type: 'health.recounted', facts: { product: 'acme/cad' } }])
})
