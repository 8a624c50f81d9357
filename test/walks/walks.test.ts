import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { followWalk } from '../helpers/walk.ts'
import { makeWalkPlace } from '../helpers/walk-place.ts'

const root = process.cwd()
const folder = 'docs/walks'
const walks = existsSync(folder)
  ? readdirSync(folder).filter((name) => name.endsWith('.md') && name !== 'README.md')
  : []

test('every document in docs/walks is a walk that is followed here', (t) => {
  t.true(existsSync(path.join(folder, 'README.md')))
  for (const name of walks) t.regex(readFileSync(path.join(folder, name), 'utf8'), /^# .+\n/)
})

for (const name of walks) {
  test.serial(`${folder}/${name} is true as it stands`, async (t) => {
    t.timeout(600_000)
    const place = await makeWalkPlace(root)
    try {
      const result = await followWalk(`${folder}/${name}`, readFileSync(path.join(folder, name), 'utf8'), place)
      t.true(result.commands + result.steps > 0)
    } finally {
      await place.remove()
    }
  })
}
