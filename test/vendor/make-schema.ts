/**
 * Writes docs/schemas/license-file.schema.json: `node build/test/vendor/make-schema.js`. A test keeps it in step.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { licenseFileJsonSchema } from '../../agent/vendor/license-file.ts'

export const schemaFile = fileURLToPath(new URL('../../../docs/schemas/license-file.schema.json', import.meta.url))

export function spellSchema(): string {
  return `${JSON.stringify(licenseFileJsonSchema(), null, 2)}\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(schemaFile, spellSchema())
