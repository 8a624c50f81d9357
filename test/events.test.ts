import test from 'ava'
import fc from 'fast-check'
import { type AgentEvent, Events } from '../agent/events.ts'

function publish(events: Events, count: number, from = 1): void {
  for (let number = from; number < from + count; number++) events.publish('license.changed', { id: `${number}` })
}

test('a watcher that gives its last id gets every event once, in order, however it was cut off', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 30 }), (before, between) => {
      const events = new Events('start', 10)
      publish(events, before)
      const lastId = events.lastId
      publish(events, between, before + 1)
      const seen: string[] = []
      const { missed, cancel } = events.follow((event) => seen.push(event.id), lastId)
      publish(events, 3, before + between + 1)
      cancel()
      publish(events, 1)
      const expected = Array.from({ length: between + 3 }, (_, index) => `start.${before + index + 1}`)
      return missed === between > 10 && seen.join() === (missed ? expected.slice(-3) : expected).join()
    }),
  )
  t.pass()
})

test('ids of another start, of the future, or that are none mean that something was missed', (t) => {
  const events = new Events('new')
  publish(events, 5)
  for (const id of ['old.3', 'new.6', 'new', 'new.x', 'new.-1', '', 'new.1e0', 'new.']) {
    const seen: AgentEvent[] = []
    const { missed, cancel } = events.follow((event) => seen.push(event), id)
    t.true(missed, id)
    t.is(seen.length, 0)
    cancel()
  }
  t.is(events.watchers, 0)
})

test('a watcher without an id gets only what is new, with its type and data', (t) => {
  const events = new Events('start')
  publish(events, 2)
  const seen: AgentEvent[] = []
  const { missed, cancel } = events.follow((event) => seen.push(event))
  events.publish('session.ended', { id: 's', product: 'acme/cad', reason: 'idle' })
  cancel()
  cancel()
  t.false(missed)
  t.deepEqual(seen, [{ id: 'start.3', type: 'session.ended', data: { id: 's', product: 'acme/cad', reason: 'idle' } }])
})
