/**
 * A value that is made when it is first asked for, and again once it is forgotten. Imports nothing of ours.
 */

export interface Remembered<T> {
  (): T
  forget(): void
}

export function remembered<T extends object>(make: () => T): Remembered<T> {
  let value: T | undefined
  const get = (): T => {
    value ??= make()
    return value
  }
  return Object.assign(get, {
    forget: () => {
      value = undefined
    },
  })
}
