/**
 * A manager that seats are taken along from, over the transport: what is sent, and what an honest one may answer. Whatever can not be
 * read is as good as no answer. Owns nothing. Must not import http.
 */
import type { z } from 'zod'
import type { DetachmentLink } from '../detachment-link.ts'
import { detachAnswerSchema, detachmentSchema, heldAnswerSchema } from './detachment-wire.ts'
import { type KnownManager, type PeerCalls, refusalIn, unusable } from './manager-calls.ts'
import type { CallOptions, Refused, Unreachable } from './manager-link.ts'

type Call = Parameters<PeerCalls['call']>[1]

/** @param peer its name and addresses may change while it lives */
export function detachmentLink(peer: KnownManager, calls: Pick<PeerCalls, 'call'>): DetachmentLink {
  async function ask<T>(request: Call, schema: z.ZodType<T>, options: CallOptions): Promise<T | Refused | Unreachable> {
    const answer = await calls.call(peer, request, options)
    if (answer.kind === 'unreachable') return answer
    if (answer.status !== 200 && answer.status !== 201) return refusalIn(answer)
    const read = schema.safeParse(answer.body)
    return read.success ? read.data : unusable('Its answer can not be read')
  }
  return {
    id: peer.id,
    get name() {
      return peer.name
    },
    detach: async (id, body, options) => {
      const request = { method: 'PUT', path: pathOf(id), body, via: body.chain.slice(0, -1) } as const
      const answer = await ask(request, detachAnswerSchema, options)
      if ('kind' in answer) return answer
      if ('plan' in answer) return { kind: 'planned', plan: answer.plan }
      const { detachment } = answer
      return detachment.id === id ? { kind: 'detached', detachment } : unusable('It made another detachment')
    },
    take: async (id, options) => {
      const answer = await ask({ method: 'GET', path: pathOf(id) }, detachmentSchema, options)
      if ('kind' in answer) return answer
      return answer.id === id ? { kind: 'detached', detachment: answer } : unusable('It told of another detachment')
    },
    giveBack: async (id, options) => {
      const answer = await calls.call(peer, { method: 'DELETE', path: pathOf(id) }, options)
      if (answer.kind === 'unreachable') return answer
      return answer.status === 204 || answer.status === 200 ? { kind: 'acknowledged' } : refusalIn(answer)
    },
    report: async (body, options) => {
      const answer = await ask({ method: 'POST', path: '/detachments', body }, heldAnswerSchema, options)
      return 'kind' in answer ? answer : { kind: 'answered', answer }
    },
  }
}

function pathOf(id: string): string {
  return `/detachments/${encodeURIComponent(id)}`
}
