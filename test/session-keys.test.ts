import { createHash } from 'node:crypto'
import test from 'ava'
import { SessionKeys } from '../agent/session-keys.ts'

const derive = (secret: string) => (label: string) =>
  createHash('sha256')
    .update(secret + label)
    .digest()

test('a key is the same after a thousand others and in the next process, and another agent has another', (t) => {
  const keys = new SessionKeys(derive('one'))
  const first = keys.keyOf('s-first')
  t.is(first.length, 22)
  for (let count = 0; count < 5_000; count += 1) keys.keyOf(`s-${count}`)
  t.is(keys.keyOf('s-first'), first)
  t.is(new SessionKeys(derive('one')).keyOf('s-first'), first)
  t.not(new SessionKeys(derive('two')).keyOf('s-first'), first)
  t.true(keys.isKeyOf('s-first', first))
  t.false(keys.isKeyOf('s-0', first))
  t.false(keys.isKeyOf('s-first', ''))
})

test('an id follows from Idempotency-Key, process and account, and begins with a letter', (t) => {
  const keys = new SessionKeys(derive('one'))
  const asked = { idempotencyKey: 'key-of-a-request-1', processId: 7, account: 'ana' }
  t.is(keys.idOf(asked), keys.idOf({ ...asked }))
  const others = [{ ...asked, processId: 8 }, { ...asked, account: 'ben' }, { idempotencyKey: asked.idempotencyKey }]
  t.is(new Set([asked, ...others].map((one) => keys.idOf(one))).size, 4)
  t.regex(keys.idOf(asked), /^s[A-Za-z0-9_-]{22}$/)
  t.not(new SessionKeys(derive('two')).idOf(asked), keys.idOf(asked))
})
