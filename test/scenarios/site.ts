/** Agents on machines of their own: the laboratory's machines with doors through which a test asks the agents on them. */
import { once } from 'node:events'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Laboratory, type Machine } from '../helpers/laboratory.ts'
import { type Environment, type Issued, startManager } from './office.ts'
import { freshFolder, type Place, RealAgent } from './real-agent.ts'

const door = fileURLToPath(new URL('./door.js', import.meta.url))
export const usualPort = 1947
const everywhere = { LEASEHOLD_NETWORK_PORT: String(usualPort), LEASEHOLD_NETWORK_LISTEN: '' }

export class Site {
  readonly laboratory: Laboratory

  private constructor(laboratory: Laboratory) {
    this.laboratory = laboratory
  }

  static async build(): Promise<Site> {
    return new Site(await Laboratory.build())
  }

  /** An agent that others may ask. */
  async manager(machine: Machine, licenses: readonly Issued[], environment: Environment = {}): Promise<RealAgent> {
    const place = await openDoor(machine)
    return startManager(licenses, { place, environment: { ...everywhere, ...environment } })
  }

  /** An agent without licenses, which looks for managers as its settings say; broadcast is off unless they say otherwise. */
  async workstation(machine: Machine, environment: Environment = {}): Promise<RealAgent> {
    const named = { LEASEHOLD_AGENT_NAME: `WS-${machine.address}`, LEASEHOLD_CACHE_LINGER_SECONDS: '0' }
    return RealAgent.start(await freshFolder(), {
      place: await openDoor(machine),
      environment: { ...everywhere, ...named, ...environment },
    })
  }

  /** Ends everything on the machines. */
  remove(): Promise<void> {
    return this.laboratory.remove()
  }
}

async function openDoor({ space }: Machine): Promise<Place> {
  const socketPath = path.join(path.dirname(await freshFolder()), 'door')
  const child = space.spawn(process.execPath, [door, socketPath, String(usualPort)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (child.stdout) await once(child.stdout, 'data')
  return { wrap: (command, args) => space.wrap(command, args), socketPath }
}

export const broadcast = { LEASEHOLD_REMOTE_BROADCAST: 'true' }
