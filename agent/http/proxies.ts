/**
 * Where a request comes from that passed through reverse proxies: their word counts as far as they are on the list of those that
 * are trusted, and not a step further. Pure; must not import owners.
 */
import { BlockList, isIP } from 'node:net'
import { plainAddress, type RequestView } from './request-view.ts'

/** @param list addresses and ranges such as `10.0.0.0/8`; what is neither is left out */
export function createProxyList(list: readonly string[]): (address: string) => boolean {
  const known = new BlockList()
  for (const entry of list) {
    const [address = '', prefix, ...rest] = entry.split('/')
    const family = isIP(address)
    if (family === 0 || rest.length > 0) continue
    const bits = prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix)
    if (!/^\d*$/.test(prefix ?? '') || bits > (family === 4 ? 32 : 128)) continue
    known.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6')
  }
  return (address) => {
    const plain = plainAddress(address)
    const family = isIP(plain)
    // the list answers false for what is no address, so that is asked first
    return family !== 0 && known.check(plain, family === 4 ? 'ipv4' : 'ipv6')
  }
}

const mostHops = 16

/** Whoever connects to the listener for proxies is one; on TLS only those on the list are. */
export function applyProxies(view: RequestView, isProxy: (address: string) => boolean = () => false): RequestView {
  if (view.channel !== 'proxy' && !isProxy(view.remoteAddress)) return view
  const header = view.headers['x-forwarded-for']
  if (typeof header !== 'string') return view
  let client = view.remoteAddress
  // from the right: each proxy has added whom it saw itself
  for (const hop of header.split(',').slice(-mostHops).reverse()) {
    const address = hop.trim()
    if (isIP(address) === 0) break
    client = address
    if (!isProxy(address)) break
  }
  return { ...view, remoteAddress: client }
}
