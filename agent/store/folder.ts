/**
 * The data folder as the store sees it: which files there are, who may read them, and whether a store was made here before.
 * The checks run before LevelDB is asked, since LevelDB makes a new store where it finds no CURRENT and deletes the rest.
 */
import { access, chmod, constants, mkdir, open, readdir, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { StoreError } from './store.ts'

export interface StorePaths {
  /** LevelDB's own folder. */
  readonly store: string
  readonly head: string
  /** Once it exists a store must be there. */
  readonly marker: string
}

export function storePaths(folder: string): StorePaths {
  return { store: join(folder, 'store'), head: join(folder, 'store.head'), marker: join(folder, 'store.marker') }
}

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false
    throw error
  }
}

/**
 * Makes the folder (0700) and those above it, or checks that it is one in which we may write.
 * Not by `mkdir` with `recursive`: under a path like /proc/x that never comes back on Node 20.
 */
export async function prepareFolder(path: string): Promise<void> {
  if (!(await exists(path))) {
    const parent = dirname(path)
    if (parent !== path) await prepareParent(parent)
    try {
      await mkdir(path, 0o700)
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error
    }
  }
  if (!(await stat(path)).isDirectory()) throw new StoreError('failed', `${path} is not a folder.`)
  await access(path, constants.R_OK | constants.W_OK | constants.X_OK)
}

async function prepareParent(path: string): Promise<void> {
  if (!(await exists(path))) await prepareFolder(path)
}

/** Says whether a store was made here before. Throws StoreError 'damaged' where its files say that something is missing. */
export async function checkStoreFiles(paths: StorePaths): Promise<'new' | 'made'> {
  const made = await exists(paths.marker)
  const files = (await exists(paths.store)) ? await readdir(paths.store) : []
  if (files.includes('CURRENT')) return made ? 'made' : 'new'
  if (made)
    throw new StoreError(
      'damaged',
      `${paths.marker} says that a store was made, but ${paths.store} has no file CURRENT.`,
    )
  const left = files.find((name) => /\.(log|ldb|sst)$/.test(name))
  if (left !== undefined)
    throw new StoreError('damaged', `${paths.store} has no file CURRENT, but ${left} of an earlier store.`)
  return 'new'
}

export async function writeMarker(paths: StorePaths): Promise<void> {
  await writeDurably(
    paths.marker,
    'A Leasehold store was made beside this file. Without it a store that is lost would look like a first start.\n',
  )
}

/** LevelDB makes its files as the umask of the process says; those that are there are closed to others here. */
export async function closeToOthers(paths: StorePaths): Promise<void> {
  await chmod(paths.store, 0o700)
  for (const name of await readdir(paths.store)) {
    await chmod(join(paths.store, name), 0o600).catch((error: unknown) => {
      // LevelDB deletes old files in a thread of its own
      if (errorCode(error) !== 'ENOENT') throw error
    })
  }
}

/** Whole and on disk, or not there: never torn. */
export async function writeDurably(path: string, content: string | Buffer): Promise<void> {
  const draft = `${path}.new`
  const file = await open(draft, 'w', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
  await syncFolder(dirname(path))
}

export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return // folders can't be opened there
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
