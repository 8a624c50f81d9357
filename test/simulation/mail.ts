/**
 * Documents that people carry: blocks of text between machines, lost, late, twice, or with one letter altered. Whoever gets one
 * pastes it when the agent of the machine listens.
 */
import type { Random } from './random.ts'
import type { Site } from './site.ts'
import type { World } from './world.ts'

interface Parcel {
  readonly to: Site
  readonly what: string
  readonly text: string
  /** True time. */
  readonly at: number
  /** A person does something else with it than to paste it. */
  readonly read: (to: Site, text: string) => void
}

/** In ms. */
const usualDelay = 120_000
const longestDelay = 1_200_000
const tiny = 0.001

export class Mail {
  readonly #world: World
  #parcels: Parcel[] = []

  constructor(world: World) {
    this.#world = world
  }

  /** @param read what is done with the text; without it, it is pasted on “Update/Attach” */
  send(to: Site, what: string, text: string, read: Parcel['read'] = paste): void {
    const { random } = this.#world
    const copies = random.weigh([
      [8, 1],
      [1, 2],
      [1, 0],
    ])
    for (let copy = 0; copy < copies; copy++) {
      const delay = random.chance(0.8) ? random.next() * usualDelay : random.next() * longestDelay
      const sent = random.chance(0.1) ? altered(text, random) : text
      this.#parcels.push({ to, what, text: sent, at: this.#world.now + delay, read })
    }
  }

  /** All that is on the way is lost. */
  lose(): void {
    this.#parcels = []
  }

  get nextAt(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.#parcels.map(({ at }) => Math.max(at, this.#world.now + 1)))
  }

  /** What somebody may read now. */
  arriving(): Parcel[] {
    return this.#parcels.filter(({ to, at }) => at <= this.#world.now + tiny && to.agent?.isListening)
  }

  deliver(parcel: Parcel): void {
    this.#parcels = this.#parcels.filter((one) => one !== parcel)
    this.#world.say(`${parcel.to.name} gets by mail: ${parcel.what}`)
    parcel.read(parcel.to, parcel.text)
  }
}

function paste(to: Site, text: string): void {
  const { world, agent } = to
  agent?.network?.travel?.documents
    .process(text, { apply: true, trust: false })
    .then((outcome) => {
      const [first] = outcome.kind === 'recognized' ? outcome.documents.slice(-1) : []
      const said = outcome.kind === 'refused' ? outcome.code : (first?.refused?.code ?? 'applied')
      world.count(`mail: ${said}`)
      to.say(`pastes it: ${said}`)
      // The receipt of what came back already, for a later version of it.
      const manager = agent.network?.travel?.book.in(first?.detachment ?? '')?.manager.id
      if (first?.block !== undefined && manager !== undefined)
        world.mail.send(world.siteOf(manager), 'another receipt', first.block)
    })
    .catch((error: unknown) => to.noteTrouble('a document could not be applied', error))
}

/** One letter is another one. */
function altered(text: string, random: Random): string {
  const at = random.integer(0, text.length - 1)
  return `${text.slice(0, at)}${random.text(1)}${text.slice(at + 1)}`
}
