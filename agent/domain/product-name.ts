/**
 * Names of products: `vendor/product`, or a bare product name while only one vendor has it. Pure.
 */

/** `vendor/product`, both short names. */
export type ProductName = `${string}/${string}`

export interface ProductParts {
  /** Absent for a bare name. */
  readonly vendor?: string
  readonly product: string
}

const shortName = /^[a-z0-9][a-z0-9._-]{0,63}$/

export function isShortName(text: string): boolean {
  return shortName.test(text)
}

/** @returns undefined when the text is no product name */
export function parseProductName(text: string): ProductParts | undefined {
  const [first = '', second, ...rest] = text.split('/')
  if (rest.length > 0 || !isShortName(first)) return undefined
  if (second === undefined) return { product: first }
  return isShortName(second) ? { vendor: first, product: second } : undefined
}

export function productName(vendor: string, product: string): ProductName {
  return `${vendor}/${product}`
}

export function vendorOf(name: ProductName): string {
  return name.slice(0, name.indexOf('/'))
}

export function productOf(name: ProductName): string {
  return name.slice(name.indexOf('/') + 1)
}
