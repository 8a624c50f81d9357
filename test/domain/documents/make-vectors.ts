/**
 * Writes the vectors in test/vectors: `node build/test/domain/documents/make-vectors.js`. Ed25519 signatures are deterministic, so
 * a run changes a file only where the format changed; a test keeps them in step.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { makeDetachmentVectors } from './detachment-vectors.ts'
import { makeDocumentVectors } from './document-vectors.ts'
import { makeProofVectors } from './proof-vectors.ts'

export const vectorFolder = fileURLToPath(new URL('../../../../test/vectors/', import.meta.url))

export function makeVectors(): Readonly<Record<'detachments.json' | 'documents.json' | 'proofs.json', string>> {
  const spell = (vectors: readonly unknown[]) =>
    `[\n${vectors.map((vector) => JSON.stringify(vector)).join(',\n')}\n]\n`
  return {
    'detachments.json': spell(makeDetachmentVectors()),
    'documents.json': spell(makeDocumentVectors()),
    'proofs.json': spell(makeProofVectors()),
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of Object.entries(makeVectors())) writeFileSync(`${vectorFolder}${name}`, text)
}
