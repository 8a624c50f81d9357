/**
 * Where a walk happens: a home folder of its own, a fresh copy of the sources, and port 1947 free because the network
 * is a new namespace; where namespaces can't be made, another port. Imports namespace only.
 */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { available, makeNamespace, type Namespace } from './namespace.ts'

export interface WalkPlace {
  /** Where the walk begins: the copy of the sources, or an empty folder. */
  readonly folder: string
  /** For files of the runner. */
  readonly scratch: string
  readonly env: Readonly<Record<string, string>>
  readonly port: number
  readonly wrap: (command: string, args: readonly string[]) => [string, string[]]
  remove(): Promise<void>
}

const usualPort = 1947

/** @param sources root of the clone to copy; without it the walk begins in an empty folder */
export async function makeWalkPlace(sources?: string): Promise<WalkPlace> {
  const base = await mkdtemp(path.join(os.tmpdir(), 'leasehold-walk-'))
  const home = path.join(base, 'home')
  const scratch = path.join(base, 'scratch')
  const folder = path.join(home, 'leasehold')
  await mkdir(folder, { recursive: true })
  await mkdir(scratch)
  if (sources !== undefined) await copySources(sources, folder)
  const namespace = (await available()) ? await makeNamespace() : undefined
  const port = namespace === undefined ? await findFreePort() : usualPort
  return {
    folder,
    scratch,
    port,
    env: {
      HOME: home,
      PATH: withoutPackages(process.env.PATH ?? '/usr/bin:/bin'),
      LANG: 'C.UTF-8',
      TERM: 'dumb',
      TMPDIR: scratch,
      ...(port === usualPort ? {} : { LEASEHOLD_NETWORK_PORT: String(port) }),
    },
    wrap: (command, args) => namespace?.wrap(command, args) ?? [command, [...args]],
    remove: () => removePlace(base, namespace),
  }
}

/** npm puts the programs of packages first, and one of them is called as a program of the system is (nft). */
function withoutPackages(folders: string): string {
  const isOfSystem = (folder: string): boolean => !folder.split(path.sep).includes('node_modules')
  return folders.split(path.delimiter).filter(isOfSystem).join(path.delimiter)
}

/** The document as it is followed at this place. */
export function adaptDocument(text: string, place: WalkPlace): string {
  return place.port === usualPort ? text : text.replaceAll(/\b1947\b/g, String(place.port))
}

async function removePlace(base: string, namespace: Namespace | undefined): Promise<void> {
  await namespace?.remove()
  await rm(base, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}

/** Committed and working files, without what is ignored; packages are linked, since they are installed already. */
async function copySources(sources: string, folder: string): Promise<void> {
  for (const name of await listSources(sources)) {
    await cp(path.join(sources, name), path.join(folder, name), { recursive: true, preserveTimestamps: true })
  }
  await symlink(path.join(sources, 'node_modules'), path.join(folder, 'node_modules'))
}

const neverCopied = new Set(['node_modules', 'build', 'coverage', '.git'])

async function listSources(sources: string): Promise<string[]> {
  const names = await listTracked(sources).catch(() => readdir(sources))
  return names.filter((name) => !neverCopied.has(name.split('/')[0] ?? ''))
}

/** Rejects where there is no git or no repository, as in an unpacked archive. */
async function listTracked(sources: string): Promise<string[]> {
  const git = async (...args: string[]): Promise<string[]> => {
    const { stdout } = await promisify(execFile)('git', ['-C', sources, 'ls-files', '-z', ...args], {
      maxBuffer: 16 * 1024 * 1024,
    })
    return stdout.split('\0').filter(Boolean)
  }
  const deleted = new Set(await git('--deleted'))
  return (await git('--cached', '--others', '--exclude-standard')).filter((name) => !deleted.has(name))
}

async function findFreePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port')
  return address.port
}
