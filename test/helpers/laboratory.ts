/**
 * Machines in networks of their own, for tests of many agents: each machine is a network namespace, each subnet a switch
 * between them, and a machine in two subnets can be their router. Linux as root only. Imports namespace only.
 */
import { makeNamespace, type Namespace } from './namespace.ts'

/** In full, since npm puts a program of a package that is called nft first. */
const nft = '/usr/sbin/nft'

/** Subnet 3 is 10.47.3.0/24. */
const prefix = '10.47'

export class Laboratory {
  readonly #switch: Namespace
  readonly #machines: Machine[] = []
  readonly #subnets = new Set<number>()

  private constructor(space: Namespace) {
    this.#switch = space
  }

  static async build(): Promise<Laboratory> {
    return new Laboratory(await makeNamespace())
  }

  /** @param subnets numbers of the subnets that the machine is in; its address ends with `host` in each */
  async machine(host: number, ...subnets: readonly number[]): Promise<Machine> {
    const space = await makeNamespace()
    const machine = new Machine(
      space,
      subnets.map((subnet) => `${prefix}.${subnet}.${host}`),
    )
    this.#machines.push(machine)
    for (const [index, subnet] of subnets.entries()) await this.#plug(machine, index, subnet, host)
    return machine
  }

  /** A machine that passes packets on between its subnets, and is the way out for those who `routeThrough` it. */
  async router(host: number, ...subnets: readonly number[]): Promise<Machine> {
    const machine = await this.machine(host, ...subnets)
    await machine.space.run('sysctl', ['-qw', 'net.ipv4.ip_forward=1'])
    return machine
  }

  /** Ends everything that runs in here. */
  async remove(): Promise<void> {
    for (const machine of this.#machines.splice(0)) await machine.space.remove()
    await this.#switch.remove()
  }

  async #plug(machine: Machine, index: number, subnet: number, host: number): Promise<void> {
    const hub = `subnet${subnet}`
    if (!this.#subnets.has(subnet)) {
      this.#subnets.add(subnet)
      // Without spanning tree, ports of a bridge forward at once; without snooping, it passes multicast on to all.
      await this.#ip('link', 'add', hub, 'type', 'bridge', 'mcast_snooping', '0')
      await this.#ip('link', 'set', hub, 'up')
    }
    const port = `port${subnet}-${host}`
    const name = `eth${index}`
    await this.#ip('link', 'add', port, 'type', 'veth', 'peer', 'name', name, 'netns', machine.space.name)
    await this.#ip('link', 'set', port, 'master', hub, 'up')
    await machine.space.run('ip', ['addr', 'add', `${prefix}.${subnet}.${host}/24`, 'dev', name])
    await machine.space.run('ip', ['link', 'set', name, 'up'])
  }

  async #ip(...args: readonly string[]): Promise<void> {
    await this.#switch.run('ip', args)
  }
}

export class Machine {
  readonly space: Namespace
  readonly addresses: readonly string[]

  constructor(space: Namespace, addresses: readonly string[]) {
    this.space = space
    this.addresses = addresses
  }

  get address(): string {
    const [first] = this.addresses
    if (first === undefined) throw new Error('this machine is in no subnet')
    return first
  }

  async routeThrough(router: Machine, subnet: number): Promise<void> {
    const gateway = router.addresses.find((address) => address.startsWith(`${prefix}.${subnet}.`))
    if (gateway === undefined) throw new Error(`the router is not in subnet ${subnet}`)
    await this.space.run('ip', ['route', 'add', 'default', 'via', gateway])
  }

  /** Nothing comes in or goes out any more; loopback goes on. */
  cut(): Promise<void> {
    return this.#filter('iifname != "lo" drop', 'oifname != "lo" drop')
  }

  /** Multicast DNS comes in and goes out no more. */
  blockBroadcast(): Promise<void> {
    return this.#filter('udp dport 5353 drop', 'udp dport 5353 drop')
  }

  /** Of the packets that come in and of those that go out, so many of a hundred are lost. */
  lose(percent: number): Promise<void> {
    const rule = (side: string) => `${side} != "lo" numgen random mod 100 < ${percent} drop`
    return this.#filter(rule('iifname'), rule('oifname'))
  }

  /** Undoes all three. */
  async restore(): Promise<void> {
    await this.space.run(nft, ['delete', 'table', 'inet', 'trouble'])
  }

  async #filter(input: string, output: string): Promise<void> {
    const chain = (hook: string, rule: string) => `chain ${hook} { type filter hook ${hook} priority 0; ${rule}; };`
    await this.space.run(nft, [`table inet trouble { ${chain('input', input)} ${chain('output', output)} }`])
  }
}
