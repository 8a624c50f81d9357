/**
 * Base64url without padding, canonical only, and the hash that names texts.
 * Imports nothing of ours.
 */
import { createHash } from 'node:crypto'

/** The bytes, or undefined where `text` is not the one canonical spelling of any bytes. */
export function decodeBase64url(text: string): Buffer | undefined {
  // Node skips what it does not know and ignores stray bits: only what encodes back to the same text is canonical.
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}

/** base64url SHA-256 of the exact text: what `parent` and `licenseHash` hold. */
export function hashText(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
