/**
 * Random texts by the thousand: salts of journal entries (R34), ids of proofs. Owns a pool of random bytes. Imports nothing of ours.
 */
import { randomBytes, randomInt } from 'node:crypto'

/** Texts of so many random bytes; taken from the system many at a time, since every journal entry and every proof want one. */
export function createRandomTexts(size: number): () => string {
  let pool = Buffer.alloc(0)
  let at = 0
  return () => {
    if (at + size > pool.length) {
      pool = randomBytes(size * 512)
      at = 0
    }
    at += size
    return pool.toString('base64url', at - size, at)
  }
}

const steps = 2 ** 32

/** From 0 to less than 1. */
export function randomShare(): number {
  return randomInt(steps) / steps
}
