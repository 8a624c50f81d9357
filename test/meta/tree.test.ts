import { readFileSync } from 'node:fs'
import test from 'ava'
import { domainPackages, findLayer, judgeImport, packageHomes } from './layers.ts'
import { findLines, readImports, readTree, resolveImport, type SourceFile, stripSource } from './sources.ts'

const agent = readTree('agent', ['.ts'])
const tests = readTree('test', ['.ts'])
const scripts = readTree('scripts', ['.ts', '.mjs', '.cjs', '.sh'])
const views = readTree('views', ['.njk'])
const code = [...agent, ...tests, ...scripts.filter((file) => !file.name.endsWith('.sh'))]
const all = readTree('.')
/** Words that would be found in the very file that looks for them. */
const word = (...parts: string[]): string => parts.join('')

function search(files: readonly SourceFile[], pattern: RegExp, allowed: readonly string[] = []): string[] {
  return files
    .filter(
      (file) => !allowed.some((place) => file.name === place || (place.endsWith('/') && file.name.startsWith(place))),
    )
    .flatMap((file) => findLines(file, pattern))
}

test('imports go in the direction of the architecture', (t) => {
  t.true(agent.length > 10)
  const wrong = agent.flatMap((file) =>
    readImports(file.text)
      .map((imported) => resolveImport(file.name, imported))
      .filter((imported) => imported.startsWith('agent/'))
      .flatMap((imported) => judgeImport(file.name, imported) ?? []),
  )
  t.deepEqual(wrong, [])
})

test('the table of layers tells right from wrong', (t) => {
  t.is(findLayer('agent/store/store.ts').name, 'ports')
  t.is(findLayer('agent/store/level-store.ts').name, 'store')
  t.is(findLayer('agent/lessor.ts').name, 'state')
  t.is(findLayer('agent/broker-line.ts').name, 'owners')
  t.is(judgeImport('agent/broker.ts', 'agent/lessor.ts'), undefined)
  t.is(judgeImport('agent/lessor.ts', 'agent/broker.ts'), 'agent/lessor.ts (state) imports agent/broker.ts (owners)')
  t.is(judgeImport('agent/domain/a.ts', 'agent/errors.ts'), 'agent/domain/a.ts (domain) imports agent/errors.ts (leaf)')
  t.truthy(judgeImport('agent/licenses.ts', 'agent/http/app.ts'))
  t.truthy(judgeImport('agent/cli/run.ts', 'agent/lessor.ts'))
  t.truthy(judgeImport('agent/http/app.ts', 'agent/jobs/daily.ts'))
})

test('no module of the agent imports itself over others', (t) => {
  const imports = new Map(
    agent.map((file) => [file.name, readImports(file.text).map((imported) => resolveImport(file.name, imported))]),
  )
  const done = new Set<string>()
  const visit = (name: string, trail: readonly string[]): string[] => {
    if (trail.includes(name)) return [[...trail.slice(trail.indexOf(name)), name].join(' > ')]
    if (done.has(name)) return []
    const found = (imports.get(name) ?? []).flatMap((imported) => visit(imported, [...trail, name]))
    done.add(name)
    return found
  }
  t.deepEqual(
    agent.flatMap((file) => visit(file.name, [])),
    [],
  )
})

test('the domain is pure: no package but zod, nothing of Node but its hashes, no randomness', (t) => {
  const domain = agent.filter((file) => file.name.startsWith('agent/domain/'))
  const packages = domain.flatMap((file) =>
    readImports(file.text)
      .filter((imported) => !imported.startsWith('.') && !domainPackages.has(imported))
      .map((imported) => `${file.name} imports ${imported}`),
  )
  t.deepEqual(packages, [])
  t.deepEqual(
    search(
      domain,
      /\b(randomBytes|randomUUID|randomInt|getRandomValues|generateKeyPair\w*|console|Socket|create(Connection|Server)|connect)\b|(?<![.\w])process\.(env|std\w+|exit|hrtime|nextTick|uptime)\b/,
    ),
    [],
  )
})

test('a package that has a home is imported only there', (t) => {
  const strays = agent.flatMap((file) =>
    readImports(file.text)
      .filter((imported) => !file.name.startsWith(packageHomes[imported] ?? ''))
      .map((imported) => `${file.name} imports ${imported}`),
  )
  t.deepEqual(strays, [])
})

test('time, timers, chance and the environment come in from outside', (t) => {
  const time = /\bDate\.now\b|\bnew Date\(\)|\bperformance\.(now|timeOrigin)\b|\bhrtime\b|\buptime\(/
  t.deepEqual(search(agent, time, ['agent/system-clock.ts']), [])
  // how long a socket may be idle is a setting of the socket, as those of the servers are
  t.deepEqual(search(agent, /(?<!\bsocket\.)\bset(Timeout|Interval|Immediate)\b/, ['agent/system-clock.ts']), [])
  t.deepEqual(search(agent, /\bMath\.random\b/), [])
  t.deepEqual(search(agent, /\bprocess\.env\b/, ['agent/main.ts']), [])
  t.deepEqual(search(tests, /\bsleep\(|\bMath\.random\b/), [])
})

test('every module begins with a header that says what it is', (t) => {
  const modules = [...agent, ...scripts, ...tests.filter((file) => !file.name.endsWith('.test.ts'))]
  const bare = modules.filter((file) => {
    const text = file.text.replace(/^#!.*\n/, '')
    if (file.name.endsWith('.sh')) return !/^# \w/.test(text)
    const header = /^\/\*\*\s[\s\S]*?\*\//.exec(text)?.[0]
    return header === undefined || header.split('\n').length > 9
  })
  t.deepEqual(
    bare.map((file) => file.name),
    [],
  )
})

test('no file has more than 400 lines of code, and those past 300 are named', (t) => {
  const sized = code.map((file) => {
    const lines = stripSource(file.text)
      .split('\n')
      .filter((line) => line.trim() !== '')
    return { name: file.name, lines: lines.length }
  })
  for (const { name, lines } of sized)
    if (lines > 300) t.log(`${name} has ${lines} lines of code: look for the second noun`)
  t.deepEqual(
    sized.filter(({ lines }) => lines > 400),
    [],
  )
})

test('the type checker and the linter are switched off nowhere, and nothing is of any type', (t) => {
  t.deepEqual(search(code, /\w\??: any\b(?!\s*\?)|[<,|] any\b\s*[>,|]|<any\b|\bany\[\]|\bas any\b/), [])
  const switches = new RegExp(
    word('@ts', '-(ignore|expect-error|nocheck)|biome', '-ignore|eslint', '-disable|c8', ' ignore'),
  )
  t.deepEqual(
    code.flatMap((file) => findLines(file, switches, false)),
    [],
  )
})

test('modules have names for what they export, and no file gathers the exports of others', (t) => {
  t.deepEqual(search(code, /\bexport default\b/), [])
  t.deepEqual(search(code, /^export (\*|\{[^}]*\}) from\b/), [])
  t.deepEqual(
    code.filter((file) => /(^|\/)(index|utils?|helpers?|common|misc)\.\w+$/.test(file.name)).map((file) => file.name),
    [],
  )
})

test('nothing is left for later, and no test is left out', (t) => {
  const later = new RegExp(word('\\b(TO', 'DO|FIX', 'ME|XX', 'X|HA', 'CK)\\b'))
  t.deepEqual(
    // One of the words is TAP's for a test that is left for later.
    all.filter((file) => file.name !== 'scripts/tap.mjs').flatMap((file) => findLines(file, later, false)),
    [],
  )
  const skipping = /\btest\.(serial\.)?(skip|only|todo|failing)\b|\.(skip|only)\(/
  // The one place that may: what a machine lacks is said there, and fails in CI.
  t.deepEqual(search(tests, skipping, ['test/helpers/needing.ts']), [])
})

test('no file names a place on somebody’s machine or a package registry', (t) => {
  const places = new RegExp(word('(^|[\\s"\'`(=:,])/(wo', 'rk|fa', 'rm|tmp/w', 't)\\b'))
  const hosts = new RegExp(word('\\bregi', 'stry\\.[\\w-]+\\.|^regi', 'stry\\s*='))
  t.deepEqual(
    all.flatMap((file) => [...findLines(file, places, false), ...findLines(file, hosts, false)]),
    [],
  )
})

test('the lock names versions and hashes, and no place where packages came from', (t) => {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, LockEntry> }
  const entries = Object.entries(lock.packages).filter(([name]) => name !== '')
  t.true(entries.length > 100)
  t.deepEqual(
    entries.filter(([, entry]) => entry.resolved !== undefined || entry.integrity === undefined).map(([name]) => name),
    [],
  )
})

interface LockEntry {
  readonly resolved?: string
  readonly integrity?: string
  readonly dev?: boolean
  readonly devOptional?: boolean
}

test('what ships with the agent has licenses that go with MIT', (t) => {
  const compatible =
    /^\(?(MIT|MIT-0|ISC|BSD-2-Clause|BSD-3-Clause|0BSD|Apache-2\.0|BlueOak-1\.0\.0|CC0-1\.0|Unlicense|Python-2\.0)\b/
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, LockEntry> }
  const shipped = Object.entries(lock.packages).filter(([name, entry]) => name !== '' && entry.dev !== true)
  t.true(shipped.length > 50)
  const doubtful = shipped.flatMap(([name]) => {
    const found = JSON.parse(readFileSync(`${name}/package.json`, 'utf8')) as { license?: unknown; licenses?: unknown }
    const license = JSON.stringify(found.license ?? found.licenses ?? null).replaceAll('"', '')
    return compatible.test(license) || /\btype:MIT\b/.test(license) ? [] : [`${name}: ${license}`]
  })
  t.deepEqual(doubtful, [])
})

test('views escape everything and quote every attribute', (t) => {
  t.deepEqual(
    views.flatMap((file) => findLines(file, /\|\s*safe\b|autoescape false/, false)),
    [],
  )
  t.deepEqual(views.flatMap(findUnquoted), [])
  t.deepEqual(
    findUnquoted({ name: 'a.njk', text: '{% set a = 1 %}<a class="b{% if c %} d{% endif %}" href={{ e }}>' }),
    ['a.njk: <a class="" href=§>'],
  )
})

function findUnquoted(file: SourceFile): string[] {
  const text = file.text
    .replace(/\{#[\s\S]*?#\}|\{%[\s\S]*?%\}/g, '')
    .replace(/\{\{[\s\S]*?\}\}/g, '§')
    .replace(/="[^"]*"|='[^']*'/g, '=""')
  return [...text.matchAll(/<[a-z][^<>]*>/gi)]
    .filter(([tag]) => /=(?!")/.test(tag))
    .map(([tag]) => `${file.name}: ${tag}`)
}

test('the reader of sources sees code and nothing else', (t) => {
  const hole = (inside: string): string => ['$', '{', inside, '}'].join('')
  const source = `a('any') // any\n/* any\n */ b(/any/, \`any ${hole('d')} ${hole(`\`any ${hole('c')}\``)}\`)`
  t.is(stripSource(source).replaceAll(/ +/g, ' '), "a('') \n\n b('', '' d '' c )")
  t.is(stripSource("const a = 1 / 2 // x\nconst b = 'it\\'s'").trim(), "const a = 1 / 2 \nconst b = ''")
  t.deepEqual(
    readImports(
      "import 'a'\nimport type { b } from './b.ts'\nexport * from 'c'\nimport {\n  d,\n} from 'd'\nawait import('e')",
    ),
    ['a', './b.ts', 'c', 'd', 'e'],
  )
})
