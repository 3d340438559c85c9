/** Of ES2024, and in every Node that this package runs on. Costs nothing for text of one byte a letter. */
interface Text {
  isWellFormed(): boolean
}

/** Whether UTF-8 can say `text`: half a surrogate pair comes back from it as U+FFFD, whichever half it was. */
export const isWhole = (text: string): boolean => (text as unknown as Text).isWellFormed()
