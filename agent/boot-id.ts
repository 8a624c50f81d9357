/**
 * Tells one boot of this machine from another (R3). On Linux the kernel says it; elsewhere it is random per process, which
 * is the safe direction: what can't be shown to be the same boot is counted as another.
 * Leaf module: imports nothing of ours.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'

const kernelBootId = '/proc/sys/kernel/random/boot_id'
const pattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** @param path for tests; null where the system has no such file */
export function readBootId(path: string | null = process.platform === 'linux' ? kernelBootId : null): string {
  if (path === null) return randomUUID()
  try {
    const text = readFileSync(path, 'latin1').trim()
    return pattern.test(text) ? text : randomUUID()
  } catch {
    return randomUUID() // some containers hide the file
  }
}
