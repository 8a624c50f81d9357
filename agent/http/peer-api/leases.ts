/**
 * What other agents ask of the desk: offers, leases, renewals, returns, and the stream of news. Must not import owners but the
 * desk's shapes.
 */
import { z } from 'zod'
import type { Cancel, Timers } from '../../clock.ts'
import { type Refusal, refuse } from '../../errors.ts'
import {
  leaseAskSchema,
  leaseGrantSchema,
  leaseQueuedSchema,
  type Offers,
  offersSchema,
  type PeerEvent,
  peerId,
  type RenewalsAnswer,
  type RenewalsAsk,
  renewalsAnswerSchema,
  renewalsAskSchema,
} from '../../peers/wire.ts'
import { created, noContent, ok, type Reply, type Sink } from '../reply.ts'
import { type Call, defineRoute, type Route } from '../route.ts'
import { askExample, eventsExample, offersExample, releaseExample, renewExample } from './lease-examples.ts'

/** The agent that asks. */
type Peer = NonNullable<Call['peer']>

export interface LeasesParts {
  offers(peer: Peer): Offers
  ask(peer: Peer, id: string, ask: z.output<typeof leaseAskSchema>): Promise<Asked>
  renew(peer: Peer, ask: RenewalsAsk): Promise<({ readonly kind: 'answered' } & RenewalsAnswer) | Refusal>
  release(peer: Peer, id: string): Promise<{ readonly kind: 'acknowledged' } | Refusal>
  events(
    peer: Peer,
    listener: { readonly onEvent: (event: PeerEvent) => void; readonly onReplaced: () => void },
  ): Cancel
}

type Asked =
  | { readonly kind: 'granted'; readonly created: boolean; readonly lease: z.output<typeof leaseGrantSchema> }
  | ({ readonly kind: 'queued' } & z.output<typeof leaseQueuedSchema>)
  | Refusal

const pingEvery = 15_000

const params = z.strictObject({ id: peerId })

export function leaseRoutes(parts: LeasesParts, streams: PeerStreams): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/peer/v1/offers',
      guard: 'peer',
      operation: 'readOffers',
      summary: 'Which seats the asking agent can have from here',
      example: offersExample,
      answers: { 200: { description: 'Products with their seats', schema: offersSchema } },
      handle: ({ peer }) => (peer ? ok(parts.offers(peer)) : unknownSender()),
    }),
    defineRoute({
      method: 'PUT',
      path: '/peer/v1/leases/{id}',
      guard: 'peer',
      operation: 'askForLease',
      summary: 'Lease seats; the same id again renews the lease, or keeps its place in the line',
      example: askExample,
      params,
      body: leaseAskSchema,
      answers: {
        201: { description: 'A new lease', schema: leaseGrantSchema },
        200: { description: 'The lease of this id, with new times', schema: leaseGrantSchema },
        202: { description: 'It stands in line; to be asked again', schema: leaseQueuedSchema },
      },
      errors: [
        'id_conflict',
        'session_ended',
        'unknown_instance',
        'loop_detected',
        'remote_access_off',
        'approval_pending',
        'denied_by_rule',
        'handing_out_disabled',
        'serving_stopped',
        'agent_limit_reached',
        'unknown_product',
        'unknown_feature',
        'license_not_active',
        'license_not_yet_valid',
        'license_expired',
        'license_blocked',
        'clock_set_back',
        'manager_unreachable',
        'lease_too_short',
        'no_seats',
        'queue_full',
        'store_unavailable',
      ],
      async handle({ peer, params: { id }, body }) {
        if (!peer) return unknownSender()
        const answer = await parts.ask(peer, id, body)
        if (answer.kind === 'refused') return answer
        if (answer.kind === 'granted') return answer.created ? created(answer.lease) : ok(answer.lease)
        const { position, waiting, retryIn } = answer
        return { ...ok({ position, waiting, retryIn }), status: 202 }
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/peer/v1/leases/{id}',
      guard: 'peer',
      operation: 'giveLeaseBack',
      summary: 'Give a lease back, confirm its end, or cancel a request; the id never gets a seat again',
      example: releaseExample,
      params,
      answers: { 204: { description: 'It is over, whatever it was before' } },
      errors: ['store_unavailable'],
      async handle({ peer, params: { id } }) {
        if (!peer) return unknownSender()
        const answer = await parts.release(peer, id)
        return answer.kind === 'refused' ? answer : noContent
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/peer/v1/renewals',
      guard: 'peer',
      operation: 'renewLeases',
      summary: 'Renew many leases, each answered separately; with the news for who has no stream',
      example: renewExample,
      body: renewalsAskSchema,
      answers: { 200: { description: 'An answer for each', schema: renewalsAnswerSchema } },
      errors: ['remote_access_off', 'store_unavailable'],
      async handle({ peer, body }) {
        if (!peer) return unknownSender()
        const answer = await parts.renew(peer, body)
        if (answer.kind === 'refused') return answer
        const { roots, results, news } = answer
        return ok({ roots, results, news } satisfies RenewalsAnswer)
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/peer/v1/events',
      guard: 'peer',
      operation: 'followNews',
      summary: 'News as server-sent events: the name of an event is its kind, its data the rest; one stream per agent',
      example: eventsExample,
      answers: { 200: { description: 'A stream that stays open', types: ['text/event-stream'] } },
      handle: ({ peer }) => (peer ? streams.open(parts, peer) : unknownSender()),
    }),
  ]
}

/** The open streams of other agents. */
export class PeerStreams {
  readonly #timers: Timers
  readonly #open = new Set<Sink>()

  constructor(timers: Timers) {
    this.#timers = timers
  }

  open(parts: Pick<LeasesParts, 'events'>, peer: Peer): Reply {
    return {
      status: 200,
      content: {
        kind: 'live',
        type: 'text/event-stream',
        open: (sink) => {
          this.#open.add(sink)
          sink.send(': open\n\n')
          const leave = parts.events(peer, {
            onEvent: ({ kind, ...data }) => {
              sink.send(`event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`)
            },
            onReplaced: () => sink.end(),
          })
          const stopPing = this.#timers.every(pingEvery, () => {
            sink.send(': ping\n\n')
          })
          return () => {
            leave()
            stopPing()
            this.#open.delete(sink)
          }
        },
      },
    }
  }

  /** Ends all streams, for stopping. */
  endAll(): void {
    for (const sink of [...this.#open]) sink.end()
  }
}

/** The guard lets nobody in who is not known; this is for the type. */
function unknownSender(): Refusal {
  return refuse('peer_signature_wrong', 'Nobody has signed this request.')
}
