/**
 * Asks other agents over the transport who they are, what they offer and whom they know; checks what comes back. Owns nothing.
 * Must not import http.
 */
import type { z } from 'zod'
import { type Place, showPlace } from '../domain/place.ts'
import type { CallOptions } from './manager-link.ts'
import type { PeerClient } from './peer-client.ts'
import type { KnownPeer, PeerAnswer, ProbeResult, Prober } from './prober.ts'
import { type Offers, offersSchema, type Peers, peerProblemSchema, peersSchema } from './wire.ts'

/** ms; whoever asks gives up before. */
const longestProbe = 30_000

export class PeerProber implements Prober {
  readonly #client: Pick<PeerClient, 'meet' | 'meetAgain' | 'call'>

  constructor(client: Pick<PeerClient, 'meet' | 'meetAgain' | 'call'>) {
    this.#client = client
  }

  probe(
    place: Place,
    expectedId: string | undefined,
    signal: AbortSignal,
    isKnown: boolean = false,
  ): Promise<ProbeResult> {
    const options = { timeout: longestProbe, signal }
    if (isKnown && expectedId !== undefined) return this.#client.meetAgain(showPlace(place), options, expectedId)
    return this.#client.meet(showPlace(place), options, expectedId)
  }

  offers(peer: KnownPeer, options: CallOptions): Promise<PeerAnswer<Offers>> {
    return this.#get(peer, '/offers', offersSchema, options)
  }

  peers(peer: KnownPeer, options: CallOptions): Promise<PeerAnswer<Peers>> {
    return this.#get(peer, '/peers', peersSchema, options)
  }

  async #get<T>(peer: KnownPeer, path: string, schema: z.ZodType<T>, options: CallOptions): Promise<PeerAnswer<T>> {
    const answer = await this.#client.call(peer, { method: 'GET', path }, options)
    if (answer.kind !== 'answered') return answer
    const wrong = (): PeerAnswer<T> => ({
      kind: 'unreachable',
      unsent: false,
      step: 'answer',
      detail: `What it answers to ${path} can not be read.`,
    })
    if (answer.status === 200) {
      const read = schema.safeParse(answer.body)
      return read.success ? { kind: 'answered', value: read.data } : wrong()
    }
    const problem = peerProblemSchema.safeParse(answer.body)
    return problem.success ? { kind: 'refused', status: answer.status, problem: problem.data } : wrong()
  }
}
