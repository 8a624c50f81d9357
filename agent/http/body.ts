/**
 * Reads the body of a request within a limit. The deadline for slow bodies is the server's request timeout, which the listener
 * sets, so that a request needs no timer of its own.
 * Must not import owners.
 */
import type { IncomingMessage } from 'node:http'
import { type Refusal, refuse } from '../errors.ts'

export type Body =
  | { readonly kind: 'read'; readonly bytes: Buffer }
  /** The connection ended before the body did: nobody is there to answer. */
  | { readonly kind: 'gone' }
  | Refusal

/** So much more than the limit is read and thrown away, so that the sender comes to read the refusal. */
const discarded = 1024 * 1024
const nothing = Buffer.alloc(0)

export function readBody(incoming: IncomingMessage, limit: number): Promise<Body> {
  return new Promise((resolve) => {
    let first: Buffer | undefined
    let more: Buffer[] | undefined
    let size = 0
    const tooLarge = () => refuse('body_too_large', `The body is larger than ${Math.floor(limit / 1024)} KB.`)
    const onData = (piece: Buffer) => {
      size += piece.length
      if (size > limit) {
        first = undefined
        more = undefined
        if (size > limit + discarded) finish(tooLarge())
      } else if (first === undefined) first = piece
      else if (more === undefined) more = [first, piece]
      else more.push(piece)
    }
    const onEnd = () => {
      if (size > limit) finish(tooLarge())
      else finish({ kind: 'read', bytes: more === undefined ? (first ?? nothing) : Buffer.concat(more, size) })
    }
    const onClose = () => finish({ kind: 'gone' })
    const finish = (body: Body) => {
      incoming.off('data', onData)
      incoming.off('end', onEnd)
      incoming.off('close', onClose)
      resolve(body)
    }
    incoming.on('data', onData)
    incoming.on('end', onEnd)
    incoming.on('close', onClose)
    incoming.on('error', onClose)
  })
}
