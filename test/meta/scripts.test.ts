import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import test, { type ExecutionContext } from 'ava'

interface SetUp {
  checkNode(version: string): void
  isInstalled(folder: string): boolean
  buildIfNeeded(folder: string): void
}
interface Totals {
  passed: number
  failed: number
  skipped: number
}
interface Tap {
  TapReader: new (print: (line: string) => void) => { take(text: string): void; finish(exitCode: number): Totals }
  closingLine(totals: Totals): string
}

/** The scripts are plain JavaScript outside of what is compiled. */
async function loadScript<T>(name: string): Promise<T> {
  return (await import(pathToFileURL(path.resolve('scripts', name)).href)) as T
}

const { checkNode, isInstalled, buildIfNeeded } = await loadScript<SetUp>('set-up.mjs')
const { TapReader, closingLine } = await loadScript<Tap>('tap.mjs')

function makeFolder(t: ExecutionContext, files: Record<string, string>): string {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'leasehold-scripts-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    writeFileSync(path.join(folder, name), content)
  }
  return folder
}

/** A project as small as one can be, with our scripts and our compiler. */
function makeProject(t: ExecutionContext, files: Record<string, string>): string {
  const compilerOptions = { target: 'es2023', module: 'nodenext', types: ['node'], rootDir: '.', outDir: 'build' }
  const folder = makeFolder(t, {
    'package.json': '{ "type": "module" }',
    'package-lock.json': '{ "packages": {} }',
    'tsconfig.json': JSON.stringify({ compilerOptions, include: ['agent'] }),
    ...files,
  })
  cpSync('scripts', path.join(folder, 'scripts'), { recursive: true, filter: (name) => !name.endsWith('.ts') })
  symlinkSync(path.resolve('node_modules'), path.join(folder, 'node_modules'))
  return folder
}

function runScript(folder: string, script: string, ...args: string[]): ChildProcess & { output: Promise<string> } {
  const child = spawn(process.execPath, [path.join(folder, script), ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  return Object.assign(child, { output: text(child.stdout) })
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)))
}

test('a Node that is too old is named with what is wanted', (t) => {
  for (const version of ['20.19.0', '20.20.2', '22.0.0', '26.10.0']) t.notThrows(() => checkNode(version))
  for (const version of ['20.18.3', '18.20.0'])
    t.throws(() => checkNode(version), { message: new RegExp(`needs Node 20.19 or later; this is Node ${version}`) })
})

test('packages are installed when the lock says other ones than are there, whatever the dates', (t) => {
  const lock = (version: string): string =>
    JSON.stringify({ packages: { '': {}, a: { version, integrity: version }, b: { version: '1', optional: true } } })
  const noted = 'node_modules/.package-lock.json'
  t.false(isInstalled(makeFolder(t, { 'package-lock.json': lock('1') })))
  t.false(isInstalled(makeFolder(t, { 'package-lock.json': lock('2'), [noted]: lock('1') })))
  t.false(isInstalled(makeFolder(t, { 'package-lock.json': lock('1'), [noted]: '{ "packages": {} }' })))
  const folder = makeFolder(t, { [noted]: '{ "packages": { "a": { "version": "1", "integrity": "1" } } }' })
  writeFileSync(path.join(folder, 'package-lock.json'), lock('1'))
  t.true(isInstalled(folder))
})

test('a build happens when a source changes, and leaves nothing of sources that are gone', (t) => {
  const folder = makeProject(t, { 'agent/main.ts': 'export const a = 1\n', 'agent/old.ts': 'export const b = 1\n' })
  const built = (name: string): string => path.join(folder, 'build/agent', name)
  buildIfNeeded(folder)
  t.true(existsSync(built('old.js')))
  t.is(statSync(built('main.js')).mode & 0o111, 0o111)

  utimesSync(built('main.js'), 1, 1)
  buildIfNeeded(folder)
  t.is(statSync(built('main.js')).mtimeMs, 1000)

  rmSync(path.join(folder, 'agent/old.ts'))
  buildIfNeeded(folder)
  t.false(existsSync(built('old.js')))
  t.true(statSync(built('main.js')).mtimeMs > 1000)

  writeFileSync(path.join(folder, 'agent/main.ts'), 'export const a: string = 1\n')
  t.throws(() => buildIfNeeded(folder), { message: /main\.ts.*TS2322[\s\S]*The build failed/ })
  t.throws(() => buildIfNeeded(folder), { message: /TS2322/ }, 'a failed build is not taken as done')
})

test('npm start serves after one build, the second time with no more than starting Node takes, and passes arguments and exit code through', async (t) => {
  const folder = makeProject(t, {
    'agent/main.ts': 'console.log(process.argv.slice(2).join(), process.env.UV_THREADPOOL_SIZE)\nprocess.exit(7)\n',
  })
  const first = runScript(folder, 'scripts/start.mjs', '--port', '1')
  t.is(await first.output, 'serve,--port,1 16\n')
  t.is(await exitOf(first), 7)
  // As a ratio, since a machine may be busy: the script starts Node once for itself and once for the agent.
  const ratios: number[] = []
  for (let round = 0; round < 3; round += 1) {
    const plain = await elapsed(async () => {
      execFileSync(process.execPath, ['-e', '0'])
      execFileSync(process.execPath, ['-e', '0'])
    })
    const second = await elapsed(async () => {
      t.is(await runScript(folder, 'scripts/start.mjs').output, 'serve 16\n')
    })
    ratios.push(second / plain)
  }
  t.true(Math.min(...ratios) < 8, ratios.join(' '))
})

async function elapsed(work: () => Promise<void>): Promise<number> {
  const began = process.hrtime.bigint()
  await work()
  return Number(process.hrtime.bigint() - began)
}

test('npm start passes signals on and waits for the agent to end', async (t) => {
  const folder = makeProject(t, {
    'agent/main.ts':
      "process.on('SIGTERM', () => { console.log('ending'); process.exit(3) })\nsetInterval(() => {}, 1000)\nconsole.log('up')\n",
  })
  const child = runScript(folder, 'scripts/start.mjs')
  child.stdout?.once('data', () => child.kill('SIGTERM'))
  t.is(await child.output, 'up\nending\n')
  t.is(await exitOf(child), 3)
})

test('a script that needs a build says what is wrong without a stack', async (t) => {
  const folder = makeProject(t, { 'agent/main.ts': 'no\n' })
  const child = spawn(process.execPath, [path.join(folder, 'scripts/run-built.mjs'), 'build/agent/main.js'])
  const said = await text(child.stderr)
  t.is(await exitOf(child), 1)
  t.regex(said, /The build failed/)
  t.notRegex(said, /\n {4}at /)
})

const tap = `TAP version 13
ok 1 - a › first
not ok 2 - a › second
  ---
    values: >-
      not ok 9 - a text of the test
  ...
ok 3 - a › third # SKIP
# a › fourth
#   a remark

1..3
# tests 2
# pass 1
# skip 1
# fail 1
`

test('results are counted from TAP however it is cut, and shown for people', (t) => {
  for (const size of [1, 7, tap.length]) {
    const lines: string[] = []
    const reader = new TapReader((line) => lines.push(line))
    for (let at = 0; at < tap.length; at += size) reader.take(tap.slice(at, at + size))
    t.deepEqual(reader.finish(1), { passed: 1, failed: 1, skipped: 1 })
    t.deepEqual(lines.slice(0, 2), ['✔ a › first', '✘ a › second'])
    t.true(lines.includes('- a › third (skip)') && lines.includes('      not ok 9 - a text of the test'))
  }
})

test('a run that breaks off, or fails outside of its tests, counts as failed', (t) => {
  const passing = tap.replace('not ok', 'ok')
  const finish = (output: string, exitCode: number): Totals => {
    const reader = new TapReader(() => {})
    reader.take(output)
    return reader.finish(exitCode)
  }
  t.deepEqual(finish(passing, 0), { passed: 2, failed: 0, skipped: 1 })
  t.is(finish(passing, 1).failed, 1)
  t.is(finish(passing.slice(0, 40), 0).failed, 1)
  t.is(finish('', 0).failed, 1)
})

test('the closing line stands as it is promised', (t) => {
  t.is(closingLine({ passed: 3, failed: 0, skipped: 0 }), '3 passed, 0 failed')
  t.is(closingLine({ passed: 3, failed: 1, skipped: 2 }), '3 passed, 1 failed, 2 skipped')
})
