/**
 * Which version of the program this is, as its manifest says. Imports the paths only.
 */
import { readFileSync } from 'node:fs'
import { packagePaths } from './paths.ts'

export function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(packagePaths.manifest, 'utf8'))
  const version =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : undefined
  return typeof version === 'string' ? version : '0.0.0'
}
