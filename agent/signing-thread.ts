/**
 * The thread that signs for `signatures.ts`: takes lists of texts, answers each with the signatures one behind the other.
 * Imports nothing of ours.
 */
import { type KeyObject, sign } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'

const key = workerData as KeyObject
const signatureBytes = 64

parentPort?.on('message', (texts: readonly string[]) => {
  const signatures = new Uint8Array(texts.length * signatureBytes)
  for (const [index, text] of texts.entries())
    signatures.set(sign(null, Buffer.from(text), key), index * signatureBytes)
  parentPort?.postMessage(signatures, [signatures.buffer])
})
