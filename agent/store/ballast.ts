/**
 * Ballast: a file that holds disk space for the moment in which the disk is full. LevelDB needs several MiB to open again,
 * and until an administrator has made room, releases and renewals must still get through (R1). Owns that one file.
 */
import { randomFillSync } from 'node:crypto'
import { open, rm, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errorCode } from './folder.ts'

const mebibyte = 1024 * 1024

export interface BallastOptions {
  /** Default 16 MiB. */
  readonly bytes?: number
  /** How much must be free before the file is made; default 64 MiB. */
  readonly roomBytes?: number
}

export class Ballast {
  readonly #path: string
  readonly #bytes: number
  readonly #roomBytes: number
  #held = false

  constructor(path: string, options: BallastOptions = {}) {
    this.#path = path
    this.#bytes = options.bytes ?? 16 * mebibyte
    this.#roomBytes = options.roomBytes ?? 64 * mebibyte
  }

  /** False while the disk is, or was lately, too full: health says so, and nothing new is granted. */
  get held(): boolean {
    return this.#held
  }

  /** Makes the file unless it is there whole. 'no_room' where less than 64 MiB are free. Rejects on other failures. */
  async restore(): Promise<'held' | 'made' | 'no_room'> {
    if ((await this.#size()) === this.#bytes) {
      this.#held = true
      return 'held'
    }
    this.#held = false
    if ((await freeBytes(dirname(this.#path))) < this.#roomBytes) return 'no_room'
    try {
      await this.#write()
    } catch (error) {
      await rm(this.#path, { force: true })
      if (errorCode(error) === 'ENOSPC' || errorCode(error) === 'EDQUOT') return 'no_room'
      throw error
    }
    this.#held = true
    return 'made'
  }

  /** Gives the space back; says whether there was any to give. */
  async free(): Promise<boolean> {
    const size = await this.#size()
    this.#held = false
    if (size === undefined) return false
    await rm(this.#path, { force: true })
    return size > 0
  }

  /** Random bytes, so that no file system stores them as a hole or compressed. */
  async #write(): Promise<void> {
    const file = await open(this.#path, 'w', 0o600)
    try {
      const chunk = Buffer.allocUnsafe(Math.min(mebibyte, this.#bytes))
      for (let written = 0; written < this.#bytes; ) {
        randomFillSync(chunk)
        written += (await file.write(chunk, 0, Math.min(chunk.length, this.#bytes - written))).bytesWritten
      }
      await file.sync()
    } finally {
      await file.close()
    }
  }

  async #size(): Promise<number | undefined> {
    try {
      return (await stat(this.#path)).size
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined
      throw error
    }
  }
}

/** Bytes that an unprivileged process may still write to the file system of `folder`. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}
