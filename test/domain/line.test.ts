import test from 'ava'
import fc from 'fast-check'
import { DueIndex } from '../../agent/domain/due-index.ts'
import { Line, longestLine, placeKept } from '../../agent/domain/line.ts'
import {
  isShortName,
  type ProductName,
  parseProductName,
  productName,
  productOf,
  vendorOf,
} from '../../agent/domain/product-name.ts'

const cad: ProductName = 'acme/cad'

function join(line: Line, id: string, now: number, product = cad): boolean {
  return line.join({ id, product, seats: 1, since: now, until: now + 300_000 })
}

function order(line: Line, now: number): string[] {
  return line.list(now).map(({ position, waiting }) => `${position} ${waiting.id}`)
}

test('R30: first come, first served, per product', (t) => {
  const line = new Line()
  for (const id of ['a', 'b', 'c']) join(line, id, 0)
  join(line, 'x', 0, 'acme/cam')
  t.deepEqual(order(line, 0), ['1 a', '2 b', '3 c', '1 x'])
  t.is(line.head(cad, 0)?.id, 'a')
  t.true(line.othersAhead(cad, 'b', 0))
  t.true(line.othersAhead(cad, 'new', 0))
  t.false(line.othersAhead(cad, 'a', 0))
  t.false(line.othersAhead('acme/cam', 'x', 0))
  t.false(line.othersAhead('acme/other', 'new', 0))
})

test('R15: who asks again keeps its place', (t) => {
  const line = new Line()
  for (const id of ['a', 'b']) join(line, id, 0)
  join(line, 'a', 1000)
  t.deepEqual(order(line, 1000), ['1 a', '2 b'])
  t.is(line.head(cad, 1000)?.since, 0)
  t.is(line.head(cad, 1000)?.until, 301_000)
})

test('R30: a place that nobody listens for is kept for 5 s, and for ever if it is asked for again', (t) => {
  const line = new Line()
  for (const id of ['a', 'b']) join(line, id, 0)
  line.suspend(cad, 'a', 1000)
  t.is(line.nextLeave(cad), 1000 + placeKept)
  t.is(line.head(cad, 1000 + placeKept - 1)?.id, 'a')
  join(line, 'a', 3000)
  t.is(line.nextLeave(cad), undefined)
  t.is(line.head(cad, 100_000)?.id, 'a')
  line.suspend(cad, 'a', 100_000)
  t.is(line.head(cad, 100_000 + placeKept)?.id, 'b')
  t.is(line.lengthOf(cad, 100_000 + placeKept), 1)
})

test('R30: a line takes 1,000 and no more; a place that was given up makes room', (t) => {
  const line = new Line()
  for (let index = 0; index < longestLine; index++) t.true(join(line, `id ${index}`, 0))
  t.false(join(line, 'one more', 0))
  t.true(join(line, 'other product', 0, 'acme/cam'))
  t.true(join(line, 'id 7', 0))
  line.suspend(cad, 'id 7', 0)
  t.false(join(line, 'one more', placeKept - 1))
  t.true(join(line, 'one more', placeKept))
})

test('in every history of a line the order is that of coming, without those who left', (t) => {
  const moves = fc.array(
    fc.record({
      what: fc.constantFrom('join', 'join', 'leave', 'suspend'),
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      pause: fc.constantFrom(0, 0, 1000, 2500, placeKept),
    }),
  )
  fc.assert(
    fc.property(moves, (history) => {
      const line = new Line()
      let model: { id: string; leavesAt?: number }[] = []
      let now = 0
      for (const { what, id, pause } of history) {
        now += pause
        model = model.filter((one) => (one.leavesAt ?? Number.POSITIVE_INFINITY) > now)
        const known = model.find((one) => one.id === id)
        t.is(line.lengthOf(cad, now), model.length)
        if (what === 'join') {
          join(line, id, now)
          if (known) delete known.leavesAt
          else model.push({ id })
        } else if (what === 'leave') {
          t.is(line.leave(cad, id), known !== undefined)
          model = model.filter((one) => one !== known)
        } else {
          line.suspend(cad, id, now)
          if (known) known.leavesAt = now + placeKept
        }
        const expected = model.map((one, index) => `${index + 1} ${one.id}`)
        t.is(line.head(cad, now)?.id, model[0]?.id)
        t.deepEqual(order(line, now), expected)
        t.deepEqual(line.products(), expected.length > 0 ? [cad] : [])
      }
    }),
  )
})

test('the due index gives everything in the order of time, and nothing before', (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 100 })), fc.nat({ max: 100 }), (times, now) => {
      const due = new DueIndex()
      for (const [index, at] of times.entries()) due.add(String(index), at)
      t.is(due.next, times.length > 0 ? Math.min(...times) : undefined)
      const taken: number[] = []
      for (let entry = due.takeDue(now); entry; entry = due.takeDue(now)) {
        t.is(times[Number(entry.id)], entry.at)
        taken.push(entry.at)
      }
      t.deepEqual(
        taken,
        times.filter((at) => at <= now).sort((a, b) => a - b),
      )
      t.is(due.size, times.length - taken.length)
      due.clear()
      t.is(due.next, undefined)
    }),
  )
})

test('the due index without what is not wanted any more gives the rest in the order of time', (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 100 }), fc.boolean())), (all) => {
      const due = new DueIndex()
      for (const [index, [at]] of all.entries()) due.add(String(index), at)
      due.keep((id) => all[Number(id)]?.[1] === true)
      const wanted = all.filter(([, isWanted]) => isWanted).map(([at]) => at)
      t.is(due.size, wanted.length)
      const taken: number[] = []
      for (let entry = due.takeDue(100); entry; entry = due.takeDue(100)) taken.push(entry.at)
      t.deepEqual(
        taken,
        wanted.sort((a, b) => a - b),
      )
    }),
  )
})

test('a product is named with its vendor or bare, in small letters', (t) => {
  t.deepEqual(parseProductName('acme/cad'), { vendor: 'acme', product: 'cad' })
  t.deepEqual(parseProductName('cad-2.1_x'), { product: 'cad-2.1_x' })
  for (const wrong of ['', '/', 'acme/', '/cad', 'a/b/c', 'Acme/cad', 'ac me', 'acme/*', '-x', 'ä', 'a'.repeat(65)])
    t.is(parseProductName(wrong), undefined, wrong)
  t.true(isShortName('a'.repeat(64)))
})

test('a product name is taken apart as it was put together', (t) => {
  const short = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/)
  fc.assert(
    fc.property(short, short, (vendor, product) => {
      const name = productName(vendor, product)
      t.deepEqual([vendorOf(name), productOf(name)], [vendor, product])
      t.deepEqual(parseProductName(name), { vendor, product })
    }),
  )
})
