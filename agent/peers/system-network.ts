/**
 * The network of this machine below TLS: connections, names and adapters as the operating system has them. Owns nothing.
 */
import { lookup } from 'node:dns/promises'
import net from 'node:net'
import os from 'node:os'
import type { Timers } from '../clock.ts'
import type { Adapter, Knock, Network, Resolved } from './prober.ts'

export function systemNetwork(timers: Timers): Network {
  return {
    knock: (place, ms, signal) =>
      new Promise<Knock>((resolve) => {
        if (signal.aborted) {
          resolve({ kind: 'silent', detail: 'the search was ended' })
          return
        }
        const socket = net.connect({ host: place.host, port: place.port })
        const finish = (knock: Knock): void => {
          cancel()
          signal.removeEventListener('abort', stop)
          socket.destroy()
          resolve(knock)
        }
        const stop = (): void => finish({ kind: 'silent', detail: 'the search was ended' })
        const cancel = timers.after(ms, () => finish({ kind: 'silent', detail: `no answer within ${ms / 1000} s` }))
        signal.addEventListener('abort', stop, { once: true })
        socket.once('connect', () => finish({ kind: 'open' }))
        socket.once('error', (error: NodeJS.ErrnoException) => finish(explain(error)))
      }),
    resolve: (host, ms) =>
      new Promise<Resolved>((resolve) => {
        const cancel = timers.after(ms, () => resolve({ kind: 'unknown', detail: `no answer within ${ms / 1000} s` }))
        lookup(host, { all: true }).then(
          (found) => {
            cancel()
            resolve({ kind: 'resolved', addresses: [...new Set(found.map(({ address }) => address))] })
          },
          (error: NodeJS.ErrnoException) => {
            cancel()
            const isUnknown = error.code === 'ENOTFOUND' || error.code === 'EAI_NONAME'
            const detail = isUnknown ? 'no such name is known' : `the name service failed (${error.code})`
            resolve({ kind: 'unknown', detail })
          },
        )
      }),
    adapters: readAdapters,
  }
}

function explain({ code = '', message }: NodeJS.ErrnoException): Knock {
  switch (code) {
    case 'ECONNREFUSED':
      return { kind: 'closed', detail: 'nothing listens there (the connection was refused)' }
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
      return { kind: 'no-route', detail: `there is no way to that address (${code})` }
    case 'EHOSTDOWN':
    case 'ETIMEDOUT':
      return { kind: 'silent', detail: `no answer (${code})` }
    default:
      return { kind: 'closed', detail: code === '' ? message : `the connection failed (${code})` }
  }
}

function readAdapters(): readonly Adapter[] {
  return Object.entries(os.networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.map(({ family, address, cidr, internal }) => ({
      name,
      family,
      address,
      prefix: Number(cidr?.split('/')[1] ?? (family === 'IPv4' ? 32 : 128)),
      internal,
    })),
  )
}
