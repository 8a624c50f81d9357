/** What the benchmark uses of autocannon, which brings no types of its own. */
declare module 'autocannon' {
  /** One connection. */
  interface Client {
    /** The bytes of the next request; asked for once for each. */
    getRequestBuffer: () => Buffer
    /** Of the requests that are being answered; its first has what has come of the body. */
    readonly pipelinedRequests: { peek(): { readonly body: string } }
    on(event: 'headers', listener: (answer: { readonly statusCode: number }) => void): void
    /** A part of the body has come. */
    on(event: 'body', listener: () => void): void
  }

  interface Options {
    url: string
    connections: number
    /** Seconds. */
    duration: number
    setupClient: (client: Client) => void
  }

  interface Result {
    readonly requests: { readonly total: number }
    /** Seconds. */
    readonly duration: number
    readonly errors: number
    readonly timeouts: number
    readonly '1xx': number
    readonly '2xx': number
    readonly '3xx': number
    readonly '4xx': number
    readonly '5xx': number
  }

  interface Instance extends Promise<Result> {
    /** @param time ms from the request to its answer */
    on(event: 'response', listener: (client: unknown, status: number, bytes: number, time: number) => void): void
  }

  function autocannon(options: Options): Instance
  namespace autocannon {
    export { Client }
  }
  export = autocannon
}
