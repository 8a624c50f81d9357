import test from 'ava'
import { writeBlock } from '../agent/domain/documents/armor.ts'
import { openBlock, readBlocks } from '../agent/domain/documents/armor-reader.ts'
import { openDocument } from '../agent/domain/documents/document.ts'
import { makeRecipient } from '../agent/recipient.ts'
import { manager } from './domain/documents/samples.ts'

test('a recipient block names the machine, its key and its clock, and is read back from a mail', (t) => {
  const wall = Date.UTC(2027, 0, 4, 8)
  const text = makeRecipient({ agent: manager, name: 'WS-17', id: 'recipient-1', wall })
  const opened = openDocument(text, 'leasehold-recipient')
  if (opened.kind === 'refused') return t.fail(opened.detail)
  const mail = writeBlock(opened).replace(/^/gm, '> ')
  const reading = readBlocks(mail)
  const found = reading.kind === 'blocks' ? reading.blocks[0] : undefined
  if (found === undefined) return t.fail('the block is not found')
  const read = openBlock(found, () => undefined)
  t.like(read, { kind: 'opened', typ: 'leasehold-recipient', signer: manager.id })
  t.like(opened.payload, { name: 'WS-17', iat: wall / 1000, agent: manager.id })
})
