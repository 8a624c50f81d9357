import test from 'ava'
import { Turns } from '../../../agent/http/ui/turns.ts'

test('pages take turns in the order in which they were asked for, with a pause before each', async (t) => {
  const said: string[] = []
  const turns = new Turns(async () => {
    said.push('pause')
  })
  await Promise.all(['one', 'two', 'three'].map((name) => turns.next().then(() => said.push(name))))
  t.deepEqual(
    said.filter((word) => word !== 'pause'),
    ['one', 'two', 'three'],
  )
  t.is(said.filter((word) => word === 'pause').length, 3)
  t.is(said[0], 'pause')
})
