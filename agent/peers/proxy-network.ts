/**
 * What the outgoing proxy needs of this system: names, the subnets of its adapters, the file with the password.
 */
import { lookup } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { ConnectStraight, OutgoingProxyOptions } from './outgoing-proxy.ts'

const words: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name is not known',
  EAI_AGAIN: 'the name service does not answer',
  ECONNREFUSED: 'nothing listens there',
  EHOSTUNREACH: 'there is no way to that machine',
  ENETUNREACH: 'there is no way to that network',
  ETIMEDOUT: 'nothing answered in time',
}

/** To the first address of the name that answers. */
export const connectStraight: ConnectStraight = (target, signal) =>
  new Promise((resolve) => {
    const socket = connect({ ...target, noDelay: true, keepAlive: true })
    const settle = (): void => {
      socket.off('connect', onConnect)
      signal.removeEventListener('abort', onAbort)
    }
    const fail = (step: 'name' | 'connect', detail: string): void => {
      settle()
      socket.destroy()
      resolve({ kind: 'failed', step, detail })
    }
    const onConnect = (): void => {
      settle()
      socket.off('error', onError)
      resolve({ kind: 'connected', socket })
    }
    // Stays where the connection failed: late errors of a socket that is given up.
    const onError = (error: NodeJS.ErrnoException): void => {
      const [first = error] = error instanceof AggregateError ? (error.errors as NodeJS.ErrnoException[]) : [error]
      fail(first.syscall === 'getaddrinfo' ? 'name' : 'connect', words[first.code ?? ''] ?? first.message)
    }
    const onAbort = (): void => fail('connect', 'nothing answered in time')
    socket.once('connect', onConnect)
    socket.on('error', onError)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })

export const systemNetwork: Pick<OutgoingProxyOptions, 'connect' | 'lookup' | 'subnets' | 'readFile'> = {
  connect: connectStraight,
  lookup: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
  subnets: () =>
    Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).flatMap(({ cidr }) => cidr ?? [])),
  readFile: (file) => readFile(file, 'utf8'),
}
