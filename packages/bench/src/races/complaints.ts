/** What a library says of its troubles beside its promises: by an event, a handler, a line in its log. */
export class Complaints {
  #last: unknown

  /** For the library to call. */
  readonly note = (error: unknown): void => {
    this.#last = error
  }

  /** @throws what was said while `act` went on: a caller who listens knows that it did not work */
  async during<T>(act: () => Promise<T>): Promise<T> {
    this.#last = undefined
    const result = await act()
    if (this.#last !== undefined) throw new Error('the library complained', { cause: this.#last })
    return result
  }
}
