/**
 * Files that are either whole and on disk, or not there. Imports nothing of ours.
 */
import { randomBytes } from 'node:crypto'
import { link, open, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

async function writeSynced(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Makes names in a folder durable; Windows has no such call and needs none. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function temporaryBeside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`)
}

/**
 * Writes a file that must not be there yet: of several that try at the same time exactly one succeeds.
 * @returns false when there is one already
 */
export async function createDurably(path: string, text: string, mode: number): Promise<boolean> {
  const temporary = temporaryBeside(path)
  await writeSynced(temporary, text, mode)
  try {
    await link(temporary, path)
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  } finally {
    await unlink(temporary)
  }
  await syncFolder(dirname(path))
  return true
}

/** Writes a file, in place of one that may be there. */
export async function replaceDurably(path: string, text: string, mode: number): Promise<void> {
  const temporary = temporaryBeside(path)
  await writeSynced(temporary, text, mode)
  try {
    await rename(temporary, path)
  } catch (error) {
    await unlink(temporary)
    throw error
  }
  await syncFolder(dirname(path))
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
