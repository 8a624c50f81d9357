/** `leasehold products`: what there is, and how much of it is free. */
import { type Product, products } from './answers.ts'
import { printList } from './pages.ts'
import type { Column } from './table.ts'
import { agentOptions, pageOptions, type Verb } from './verb.ts'

export const columns: readonly Column<Product>[] = [
  { title: 'Product', cell: ({ id }) => id },
  { title: 'Title', cell: ({ title }) => title },
  { title: 'Seats', right: true, cell: ({ seats }) => seats },
  { title: 'Used', right: true, cell: ({ used }) => used },
  {
    title: 'Free',
    right: true,
    cell: ({ free, anyProductFree }) => (anyProductFree > 0 ? `${free}+${anyProductFree}` : free),
  },
  { title: 'Waiting', right: true, cell: ({ waiting }) => waiting },
  { title: 'Features', cell: ({ features }) => features.join(', ') },
  { title: 'At', cell: ({ manager }) => manager.name },
]

export const productsVerb: Verb = {
  name: 'products list',
  alias: 'products',
  summary: 'List the products and how many seats of each are free',
  description: ['“2+3” under FREE: two seats of the product, and three that fit any product of the vendor.'],
  arguments: [],
  options: [...agentOptions, ...pageOptions],
  run: (invocation) =>
    printList(
      invocation,
      '/api/v1/products',
      {},
      products,
      columns,
      'There are no products: add a license with leasehold licenses add FILE.',
    ),
}
