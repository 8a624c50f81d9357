import { generateKeyPairSync, verify } from 'node:crypto'
import test from 'ava'
import { Signatures } from '../agent/signatures.ts'
import { waitFor } from './helpers/wait-for.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')

function isSigned(text: string, signature: Buffer): boolean {
  return verify(null, Buffer.from(text), publicKey, signature)
}

async function signAll(signatures: Signatures, count: number, round: string): Promise<boolean> {
  const texts = Array.from({ length: count }, (_, index) => `${round} ${index} ${'ä'.repeat(index)}`)
  const signed = await Promise.all(texts.map((text) => signatures.sign(text)))
  return texts.every((text, index) => isSigned(text, signed[index] ?? Buffer.alloc(0)))
}

/** Two texts that are not signed within this turn of the event loop are signed in the thread. */
async function isInThread(signatures: Signatures): Promise<boolean> {
  let isSettled = false
  const both = signAll(signatures, 2, 'look').finally(() => {
    isSettled = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  const inThread = !isSettled
  return (await both) && inThread
}

test('each text gets its own signature, alone or with others, before the thread has begun and when it works', async (t) => {
  const signatures = new Signatures(privateKey)
  t.true(await signAll(signatures, 1, 'alone'))
  t.true(await signAll(signatures, 7, 'before the thread'))
  await waitFor('the thread', () => isInThread(signatures))
  const many = await Promise.all([1, 2, 3, 40].map((count) => signAll(signatures, count, `${count} of them`)))
  t.deepEqual(many, [true, true, true, true])
  await signatures.close()
})

test('what is wanted while the thread ends, and after it, is signed without it', async (t) => {
  const signatures = new Signatures(privateKey)
  await waitFor('the thread', () => isInThread(signatures))
  const last = signAll(signatures, 300, 'last')
  await new Promise((resolve) => setImmediate(resolve))
  await signatures.close()
  t.true(await last)
  t.true(await signAll(signatures, 5, 'after'))
})

test('a key that can not sign is told to whoever wants a signature, each time', async (t) => {
  const signatures = new Signatures(publicKey)
  for (let round = 0; round < 3; round += 1) {
    const outcomes = await Promise.allSettled([signatures.sign('one'), signatures.sign('other')])
    t.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
  }
  await signatures.close()
})
