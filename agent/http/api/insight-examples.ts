/**
 * Examples of the calls about refusals, machines and recounts.
 * Must not import anything of ours but shapes, the error table, and what all examples are of.
 */
import { errorTable } from '../../errors.ts'
import type { Computer, RecountedLicense, RefusedSeat } from './insight-shapes.ts'
import { exampleExplanation } from './session-examples.ts'
import type { Disconnected, List } from './shapes.ts'

const refused: RefusedSeat = {
  id: 'refusal-17',
  product: 'acme/cad',
  seats: 1,
  user: { account: 'bo' },
  host: 'WS-17',
  application: 'Acme CAD 7.2',
  code: 'no_seats',
  title: errorTable.no_seats.title,
  detail: '5 of 5 seats of acme/cad are in use.',
  help: errorTable.no_seats.help,
  times: 3,
  firstAt: '2026-11-24T08:02:00.000Z',
  lastAt: '2026-11-24T08:03:00.000Z',
  retryIn: 30,
  explanation: exampleExplanation,
}

const computer: Computer = {
  id: 'q2J0rLx8cV5nT1yWb7eZ3A',
  host: 'WS-17',
  user: { account: 'ana', displayName: 'Ana Ruiz' },
  addresses: ['127.0.0.1'],
  sessions: 1,
  seats: 1,
  since: '2026-11-24T08:00:00.000Z',
  uses: [{ product: 'acme/cad', feature: 'rendering', seats: 1, since: '2026-11-24T08:00:00.000Z' }],
}

const counted: RecountedLicense = { license: 'lic-7f3a9c21', any: false, kept: 1, counted: 1 }

export const listRefusalsExample = {
  query: { product: 'acme/cad', limit: 20 },
  answers: { 200: { items: [refused], total: 1 } satisfies List<RefusedSeat> },
}
export const listComputersExample = {
  query: { user: 'ana', limit: 20 },
  answers: { 200: { items: [computer], total: 1 } satisfies List<Computer> },
}
export const disconnectComputerExample = {
  params: { id: computer.id },
  body: { reason: 'the machine does not answer', freeNow: false },
  answers: { 200: { ended: 'ending', freeAt: '2026-11-24T08:10:15.000Z' } satisfies Disconnected },
}
export const recountExample = {
  params: { vendor: 'acme', product: 'cad' },
  answers: { 200: { licenses: [counted] } },
}

export const modeExample = {
  params: { vendor: 'acme', product: 'cad' },
  answers: { 200: { mode: 'network' as const, manager: 'licenses.example.com' } },
}
