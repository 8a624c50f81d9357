/**
 * Makes a clone ready to run: the Node version, the packages of package-lock.json, the compiled build/.
 * Plain JavaScript, because it runs before anything is installed or compiled; imports nothing but Node.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

const oldestNode = [20, 19]
const sourceFolders = ['agent', 'test', 'scripts']
const stampFile = 'build/.built'

/** A person can act on it: printed without a stack. */
export class SetUpError extends Error {}

/** Runs a script's work; what a person can act on ends it as sentences and exit code 1. */
export async function runScript(work) {
  try {
    checkNode(process.versions.node)
    await work()
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error
    console.error(error.message)
    process.exitCode = 1
  }
}

export function checkNode(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [neededMajor, neededMinor] = oldestNode
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return
  throw new SetUpError(
    `Leasehold needs Node ${oldestNode.join('.')} or later; this is Node ${version}. Install a newer one from https://nodejs.org and start again.`,
  )
}

/** Installs and builds what is missing or out of date; says so in one line each, and nothing when all is there. */
export function prepare(folder = root) {
  installIfNeeded(folder)
  buildIfNeeded(folder)
}

export function installIfNeeded(folder = root) {
  if (isInstalled(folder)) return
  console.error('Installing the packages that package-lock.json names; this happens once and takes up to a minute.')
  const npm = process.env.npm_execpath
  const options = { cwd: folder, encoding: 'utf8', shell: npm === undefined && process.platform === 'win32' }
  const command = ['ci', '--include=dev', '--no-progress', '--loglevel=error']
  const result =
    npm === undefined ? spawnSync('npm', command, options) : spawnSync(process.execPath, [npm, ...command], options)
  if (result.status === 0) return
  throw new SetUpError(
    [
      `${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`.trim(),
      'The packages could not be installed. Check that this machine reaches the package registry',
      '(npm ping; behind a proxy: npm config set proxy), that the folder is writable, and start again.',
    ].join('\n'),
  )
}

/**
 * Compares what npm noted in node_modules with the lock, by content: a checkout that only touches the lock's date
 * costs nothing. A node_modules that is a link belongs to somebody else and is taken as it is.
 */
export function isInstalled(folder) {
  const modules = path.join(folder, 'node_modules')
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) return true
  const noted = path.join(modules, '.package-lock.json')
  if (!existsSync(noted)) return false
  const wanted = JSON.parse(readFileSync(path.join(folder, 'package-lock.json'), 'utf8')).packages
  const installed = JSON.parse(readFileSync(noted, 'utf8')).packages
  return Object.entries(wanted).every(([name, entry]) => {
    if (name === '') return true
    const there = installed[name]
    // Packages for other systems are in the lock and not on the disk.
    if (there === undefined) return entry.optional === true
    return there.version === entry.version && there.integrity === entry.integrity
  })
}

export function buildIfNeeded(folder = root) {
  const wanted = describeSources(folder)
  const stamp = path.join(folder, stampFile)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  rmSync(stamp, { force: true })
  const compiler = path.join(folder, 'node_modules/typescript/bin/tsc')
  const result = spawnSync(process.execPath, [compiler, '-p', folder], { cwd: folder, encoding: 'utf8' })
  if (result.status !== 0)
    throw new SetUpError(
      `${result.stdout ?? ''}${result.stderr ?? ''}The build failed. If you changed nothing, remove build/ and node_modules/ and start again.`,
    )
  removeOrphans(folder)
  const main = path.join(folder, 'build/agent/main.js')
  if (existsSync(main)) chmodSync(main, 0o755)
  writeFileSync(stamp, wanted)
}

/** Changes whenever a source is added, removed or written. */
function describeSources(folder) {
  const hash = createHash('sha256')
  const files = sourceFolders.flatMap((name) => listFiles(path.join(folder, name), '.ts')).sort()
  for (const file of [...files, path.join(folder, 'tsconfig.json'), path.join(folder, 'package.json')]) {
    const { mtimeMs, size } = statSync(file)
    hash.update(`${path.relative(folder, file)} ${mtimeMs} ${size}\n`)
  }
  return hash.digest('hex')
}

/** A compiled file whose source is gone would still be run: by the tests, or by an import that should fail. */
function removeOrphans(folder) {
  for (const name of sourceFolders) {
    const built = path.join(folder, 'build', name)
    for (const file of listFiles(built, '.js')) {
      const source = path.join(folder, name, `${path.relative(built, file).slice(0, -3)}.ts`)
      if (existsSync(source)) continue
      rmSync(file)
      rmSync(`${file}.map`, { force: true })
    }
  }
}

function listFiles(folder, extension) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(extension))
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name))
}
