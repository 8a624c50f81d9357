/**
 * Places that an administrator typed: asked in every round, whatever else is searched. Owns nothing.
 * Imports the reader of search parameters only.
 */
import type { SearchParameter } from '../../config/search-parameters.ts'
import type { Finder, Look } from './finder.ts'

const searchEvery = 30_000

export class ConfiguredFinder implements Finder {
  readonly foundBy = 'configured'
  readonly every = searchEvery
  readonly #parameters: () => readonly SearchParameter[]

  constructor(parameters: () => readonly SearchParameter[]) {
    this.#parameters = parameters
  }

  isOn(): boolean {
    return this.#parameters().some(({ kind }) => kind === 'place')
  }

  async find(look: Look): Promise<void> {
    for (const parameter of this.#parameters())
      if (parameter.kind === 'place')
        look.hint({
          place: parameter.place,
          foundBy: 'configured',
          ...(parameter.id === undefined ? {} : { id: parameter.id }),
        })
  }
}
