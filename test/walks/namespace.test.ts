import { createServer } from 'node:net'
import test from 'ava'
import { available, makeNamespace } from '../helpers/namespace.ts'

const run = (await available()) ? test : undefined

test('where namespaces can not be made, available() says so instead of failing', async (t) => {
  t.is(await available(), process.platform === 'linux' && process.getuid?.() === 0)
})

run?.('a port that is taken outside is free in a namespace, and the other way round', async (t) => {
  const outside = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => outside.once('listening', resolve))
  const address = outside.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const namespace = await makeNamespace()
  try {
    const script = `require('node:net').createServer().listen(${port}, '127.0.0.1', function () { this.close(); console.log('free') })`
    t.is((await namespace.run(process.execPath, ['-e', script])).stdout, 'free\n')
  } finally {
    await namespace.remove()
    outside.close()
  }
})

run?.('removing a namespace ends what still runs in it', async (t) => {
  const namespace = await makeNamespace()
  const child = namespace.spawn('sleep', ['600'])
  const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)))
  while (!(await namespace.processes()).includes(child.pid ?? 0)) t.is(child.exitCode, null)
  await namespace.remove()
  t.is(await ended, 'SIGKILL')
  await t.throwsAsync(namespace.processes())
})
