/** What a check of the simulator found; never an expected outcome of what it runs. */
export class Violation extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'Violation'
  }
}
