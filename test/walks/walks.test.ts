import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { available } from '../helpers/namespace.ts'
import { testNeeding } from '../helpers/needing.ts'
import { followWalk } from '../helpers/walk.ts'
import { makeWalkPlace } from '../helpers/walk-place.ts'

const root = process.cwd()
const folder = 'docs/walks'
const walks = existsSync(folder)
  ? readdirSync(folder).filter((name) => name.endsWith('.md') && name !== 'README.md')
  : []

const ownNetwork = '<!-- needs a network of its own -->'
const hint = 'walks about the network need Linux as root with network namespaces: sudo scripts/install-test-tools.sh'
const hasNamespaces = await available()

test('every document in docs/walks is a walk that is followed here', (t) => {
  t.true(existsSync(path.join(folder, 'README.md')))
  for (const name of walks) t.regex(readFileSync(path.join(folder, name), 'utf8'), /^# .+\n/)
})

for (const name of walks) {
  const text = readFileSync(path.join(folder, name), 'utf8')
  const isPossible = hasNamespaces || !text.includes(ownNetwork)
  const run = isPossible ? test.serial : testNeeding(false, hint)
  run(`${folder}/${name} is true as it stands`, async (t) => {
    t.timeout(600_000)
    const place = await makeWalkPlace(root)
    try {
      const result = await followWalk(`${folder}/${name}`, text, place)
      t.true(result.commands + result.steps > 0)
    } finally {
      await place.remove()
    }
  })
}
