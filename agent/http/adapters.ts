/**
 * Which addresses of this machine are meant by names and addresses of network adapters. Pure; must not import anything of ours.
 */
import { isIP } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'

const most = 64

/**
 * @param wanted names of adapters or addresses; nothing means all adapters
 * @returns addresses that the machine has now, loopback left out unless it is named; link-local ones with their zone
 */
export function listAddresses(
  wanted: readonly string[],
  adapters: NodeJS.Dict<readonly NetworkInterfaceInfo[]>,
): readonly string[] {
  const found = new Set<string>()
  for (const [name, infos = []] of Object.entries(adapters))
    for (const { address, internal, scopeid = 0, family } of infos) {
      // a link-local address means nothing without its adapter
      const full = family === 'IPv6' && scopeid > 0 ? `${address}%${name}` : address
      const isNamed = wanted.includes(name) || wanted.includes(address) || wanted.includes(full)
      if (wanted.length === 0 ? !internal : isNamed) found.add(full)
    }
  // other addresses of loopback are there without an adapter that has them
  for (const one of wanted) if (isIP(one) === 4 && one.startsWith('127.')) found.add(one)
  return [...found].slice(0, most)
}
