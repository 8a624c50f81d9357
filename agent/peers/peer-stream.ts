/**
 * Server-sent events from another agent: reads them as they come, within limits, and notices silence. The request was signed;
 * the events are trusted by the channel, whose certificate the agent's statement names. Must not import http of ours.
 */
import type { IncomingMessage } from 'node:http'
import type { Cancel, Timers } from '../clock.ts'

export interface StreamListener {
  /** @param data parsed JSON, not checked yet */
  readonly onEvent: (name: string, data: unknown) => void
  /** It is over, whoever ended it; called once. */
  readonly onEnd: (detail: string) => void
}

export interface PeerStream {
  readonly kind: 'open'
  close(): void
}

const longestEvent = 256 * 1024
/** The sender says something every 15 s. */
const longestSilence = 50_000

export function readEvents(response: IncomingMessage, listener: StreamListener, timers: Timers): PeerStream {
  let waiting = ''
  let name = ''
  let data = ''
  let isOver = false
  let cancel: Cancel = () => undefined
  const end = (detail: string) => {
    if (isOver) return
    isOver = true
    cancel()
    response.destroy()
    listener.onEnd(detail)
  }
  const listen = () => {
    cancel()
    cancel = timers.after(longestSilence, () => end('nothing came for too long'))
  }
  const takeLine = (line: string) => {
    if (line === '') {
      const event = name
      const text = data
      name = ''
      data = ''
      if (text === '') return
      let value: unknown
      try {
        value = JSON.parse(text)
      } catch {
        end('an event was no JSON')
        return
      }
      listener.onEvent(event, value)
    } else if (line.startsWith('event: ')) name = line.slice(7)
    else if (line.startsWith('data: ')) data += (data === '' ? '' : '\n') + line.slice(6)
  }
  response.setEncoding('utf8')
  response.on('data', (piece: string) => {
    listen()
    const lines = (waiting + piece).split('\n')
    waiting = lines.pop() ?? ''
    for (const line of lines) if (!isOver) takeLine(line)
    if (waiting.length + data.length > longestEvent) end('an event was too long')
  })
  response.once('error', () => end('the stream broke off'))
  response.once('close', () => end('the stream ended'))
  listen()
  return { kind: 'open', close: () => end('closed here') }
}
