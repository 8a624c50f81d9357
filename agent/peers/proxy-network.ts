/**
 * What the outgoing proxy needs of this system: names, the subnets of its adapters, the file with the password.
 */
import { lookup } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import type { OutgoingProxyOptions } from './outgoing-proxy.ts'
import { connectDirectly } from './peer-connection.ts'

export const systemNetwork: Pick<OutgoingProxyOptions, 'connect' | 'lookup' | 'subnets' | 'readFile'> = {
  connect: connectDirectly,
  lookup: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
  subnets: () =>
    Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).flatMap(({ cidr }) => cidr ?? [])),
  readFile: (file) => readFile(file, 'utf8'),
}
