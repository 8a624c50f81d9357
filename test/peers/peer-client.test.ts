import test from 'ava'
import { PeerAgent } from './peer-agent.ts'

test('a signed request of one agent is answered by another over TLS', async (t) => {
  const asker = await PeerAgent.start({ name: 'WS-17' })
  const manager = await PeerAgent.start({ name: 'LICENSE-1' })
  const answer = await asker.ask(manager)
  if (answer.kind !== 'answered') return t.fail(JSON.stringify(answer))
  t.is(answer.status, 200)
  t.deepEqual(answer.body, {
    id: 'one',
    text: 'hello',
    peer: { id: asker.id, name: 'WS-17', address: '127.0.0.1', approval: 'known' },
  })
  t.is(manager.book.get(asker.id)?.name, 'WS-17')
  t.is(asker.book.get(manager.id)?.name, 'LICENSE-1')
  await asker.stop()
  await manager.stop()
  return undefined
})
